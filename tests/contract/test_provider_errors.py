"""What goes wrong with a provider becomes the error that says how to recover."""

from __future__ import annotations

import socket
import traceback
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.contract.provider_embedders import KEY, PATHS, opened
from worker.embed.port import Purpose
from worker.errors import (
    FatalError,
    LimitedError,
    RecordError,
    RetriableError,
    Stage,
    UnansweredError,
    WorkerError,
)
from worker.provider_local.faults import Fate, FaultRule, Faults, Kind, PerMinute
from worker.provider_local.server import ProviderLocal, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.embed.port import Embedder

if find_spec("cohere") is None:
    pytest.skip("cohere is not installed", allow_module_level=True)

TEXTS = ["the private text of a row", "another private text"]


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderLocal]:
    with ProviderLocal(Settings(api_key=KEY)) as local:
        yield local


@pytest.fixture(params=PATHS)
def provider(request: pytest.FixtureRequest, server: ProviderLocal) -> Iterator[str]:
    server.reset()
    yield request.param
    server.faults = Faults()


@pytest.fixture
def embedder(server: ProviderLocal, provider: str) -> Iterator[Embedder]:
    made = opened(server, provider)
    yield made
    made.close()


def failure(embedder: Embedder, texts: list[str] = TEXTS) -> WorkerError:
    with pytest.raises(WorkerError) as raised:
        embedder.embed(texts, Purpose.DOCUMENT)
    shown = "".join(traceback.format_exception(raised.value))
    assert "private" not in shown
    assert KEY not in shown
    return raised.value


def answered(server: ProviderLocal, status: int, **more: object) -> None:
    quoting = f"cannot embed {TEXTS} for {KEY}"
    rule = FaultRule.model_validate({"status": status, "message": quoting, **more})
    server.faults = Faults(rules=[rule])


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "900"}, 900.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_too_many_calls_are_a_limit_with_the_wait_that_was_asked_for(
    server: ProviderLocal,
    provider: str,
    embedder: Embedder,
    headers: dict[str, str],
    seconds: float | None,
) -> None:
    answered(server, 429, headers=headers)
    error = failure(embedder)
    assert isinstance(error, LimitedError)
    assert error.retry_after_s == seconds
    assert server.stats[provider]["calls"] == 1


def test_the_limit_per_minute_of_a_provider_is_a_limit(
    server: ProviderLocal, provider: str, embedder: Embedder
) -> None:
    server.faults = Faults(per_minute=PerMinute(inputs=2, window_s=30))
    embedder.embed(TEXTS, Purpose.DOCUMENT)
    error = failure(embedder)
    assert isinstance(error, LimitedError)
    assert error.retry_after_s == pytest.approx(30, abs=5)
    assert server.stats[provider]["limited"] == 1


@pytest.mark.parametrize("status", [408, 409, 425, 499, 500, 502, 503, 504, 529])
def test_an_outage_is_retriable_and_tried_once(
    server: ProviderLocal, provider: str, embedder: Embedder, status: int
) -> None:
    answered(server, status, headers={"retry-after": "3"})
    error = failure(embedder)
    assert type(error) is RetriableError
    assert error.retry_after_s == 3
    assert server.stats[provider]["calls"] == 1


@pytest.mark.parametrize("status", [401, 403, 498])
def test_a_key_that_is_refused_is_fatal(
    server: ProviderLocal, embedder: Embedder, status: int
) -> None:
    answered(server, status)
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert "embedder.api.key" in str(error)


def test_a_wrong_key_is_fatal(server: ProviderLocal, provider: str) -> None:
    embedder = opened(server, provider, {"embedder.api.key": "another"})
    assert isinstance(failure(embedder), FatalError)
    embedder.close()


def test_billing_is_fatal(server: ProviderLocal, embedder: Embedder) -> None:
    answered(server, 402)
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert "billing" in str(error)


@pytest.mark.parametrize("status", [404, 302, 405])
def test_a_wrong_model_or_address_is_fatal(
    server: ProviderLocal, embedder: Embedder, status: int
) -> None:
    answered(server, status)
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert "embedder.base.url" in str(error)


def test_a_model_that_the_provider_does_not_know_is_not_retried(
    server: ProviderLocal, provider: str
) -> None:
    keys = {"embedder.model": "nonesuch", "embedder.dimensions": "8"}
    embedder = opened(server, provider, keys)
    # Voyage has no code for it: the caller finds out that it refuses every text.
    assert isinstance(failure(embedder), RecordError if provider == "voyage" else FatalError)
    embedder.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_may_be_the_fault_of_a_record(
    server: ProviderLocal, embedder: Embedder, status: int
) -> None:
    answered(server, status)
    error = failure(embedder)
    assert isinstance(error, RecordError)
    assert error.stage is Stage.EMBED
    assert error.kind == ("TextTooLong" if status == 413 else "TextRefused")


def test_a_marked_text_is_refused_and_its_neighbours_are_not(
    server: ProviderLocal, embedder: Embedder
) -> None:
    server.faults = Faults(markers={"POISON": Fate.REFUSED})
    assert isinstance(failure(embedder, [*TEXTS, "private POISON"]), RecordError)
    assert len(embedder.embed(TEXTS, Purpose.DOCUMENT).vectors) == 2


def test_a_text_that_is_not_unicode_is_the_fault_of_a_record(embedder: Embedder) -> None:
    error = failure(embedder, ["private \ud800"])
    assert isinstance(error, RecordError)


def test_no_connection_is_retriable(server: ProviderLocal, provider: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    embedder = opened(server, provider, {"embedder.base.url": f"http://127.0.0.1:{port}"})
    assert type(failure(embedder)) is RetriableError
    embedder.close()


@pytest.mark.parametrize(
    ("rule", "billed"),
    [(FaultRule(kind=Kind.CUT), 0), (FaultRule(kind=Kind.CUT, applied=True), len(TEXTS))],
)
def test_a_connection_that_is_cut_leaves_open_whether_the_call_was_billed(
    server: ProviderLocal, provider: str, embedder: Embedder, rule: FaultRule, billed: int
) -> None:
    server.faults = Faults(rules=[rule])
    assert isinstance(failure(embedder), UnansweredError)
    assert server.stats[provider]["texts"] == billed


def test_an_answer_that_does_not_come_in_time_leaves_it_open_too(
    server: ProviderLocal, provider: str
) -> None:
    embedder = opened(server, provider, {"embedder.timeout.ms": "100"})
    server.faults = Faults(latency_s=1)
    assert isinstance(failure(embedder), UnansweredError)
    embedder.close()


@pytest.mark.parametrize("kind", [Kind.MISSING, Kind.EXTRA, Kind.GARBAGE, Kind.TORN])
def test_an_answer_that_makes_no_sense_may_have_been_billed(
    server: ProviderLocal, embedder: Embedder, kind: Kind
) -> None:
    server.faults = Faults(rules=[FaultRule(kind=kind)])
    assert isinstance(failure(embedder), UnansweredError)


def test_vectors_of_another_length_are_fatal(server: ProviderLocal, embedder: Embedder) -> None:
    server.faults = Faults(rules=[FaultRule(kind=Kind.WRONG_LENGTH)])
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert "embedder.dimensions" in str(error)


def test_numbers_that_are_none_are_left_to_the_caller(
    server: ProviderLocal, embedder: Embedder
) -> None:
    server.faults = Faults(markers={"nan": Fate.NAN, "zero": Fate.ZERO})
    vectors = embedder.embed(["nan", "zero", "sound"], Purpose.DOCUMENT).vectors
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.isnan(lengths[0])
    assert lengths[1] == 0
    assert lengths[2] == pytest.approx(1)


def test_answers_in_another_order_are_put_right(server: ProviderLocal, embedder: Embedder) -> None:
    expected = embedder.embed(TEXTS, Purpose.DOCUMENT).vectors
    server.faults = Faults(rules=[FaultRule(kind=Kind.SHUFFLED)])
    np.testing.assert_array_equal(embedder.embed(TEXTS, Purpose.DOCUMENT).vectors, expected)


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_a_used_up_quota_of_openai_is_fatal_although_it_says_429(
    server: ProviderLocal, code: str
) -> None:
    embedder = opened(server, "openai")
    answered(server, 429, code=code)
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert code in str(error)
    embedder.close()
    server.faults = Faults()


def test_a_used_up_trial_key_of_cohere_is_fatal_although_it_says_429(server: ProviderLocal) -> None:
    embedder = opened(server, "cohere")
    message = "You are using a Trial key, which is limited to 1000 API calls / month."
    answered(server, 429, message=message)
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert "production key" in str(error)
    answered(server, 400, message="cannot embed: private offer, 5 EUR / month")
    assert isinstance(failure(embedder), RecordError)
    embedder.close()
    server.faults = Faults()


@pytest.mark.parametrize(
    ("param", "key"), [("dimensions", "embedder.dimensions"), ("model", "embedder.model")]
)
def test_a_parameter_that_openai_complains_about_is_fatal(
    server: ProviderLocal, param: str, key: str
) -> None:
    embedder = opened(server, "openai")
    answered(server, 400, param=param)
    error = failure(embedder)
    assert isinstance(error, FatalError)
    assert key in str(error)
    embedder.close()
    server.faults = Faults()


def test_a_code_that_is_a_sentence_is_not_repeated(server: ProviderLocal) -> None:
    embedder = opened(server, "openai")
    answered(server, 400, code="private text", param="private text")
    assert isinstance(failure(embedder), RecordError)
    embedder.close()
    server.faults = Faults()
