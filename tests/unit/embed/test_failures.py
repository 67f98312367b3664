"""From statuses and silence to errors, and the waits that providers ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from worker.embed.failures import (
    Refusal,
    error_of,
    error_of_transport,
    name_of,
    retry_after_s,
)
from worker.errors import FatalError, RecordError, RetriableError, UnansweredError


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "90"}, 90.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "4"}, 4.0),
    ],
)
def test_the_wait_is_read_in_seconds_or_milliseconds(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(("ahead_s", "seconds"), [(60, 60), (-60, 0)])
def test_the_wait_may_be_a_date(ahead_s: int, seconds: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
    assert retry_after_s({"retry-after": date}) == pytest.approx(seconds, abs=3)


@pytest.mark.parametrize("value", ["a sentence", "x" * 65, "", None, 5, {"a": "b"}, "müde"])
def test_what_does_not_look_like_a_code_is_dropped(value: object) -> None:
    assert name_of(value) == ""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), RetriableError),
        (httpx.ConnectTimeout("slow"), RetriableError),
        (httpx.PoolTimeout("busy"), RetriableError),
        (httpx.WriteError("reset"), RetriableError),
        (httpx.ProxyError("403"), RetriableError),
        (httpx.ReadTimeout("slow"), UnansweredError),
        (httpx.ReadError("reset"), UnansweredError),
        (httpx.RemoteProtocolError("disconnected"), UnansweredError),
        (httpx.DecodingError("gzip"), UnansweredError),
        (httpx.UnsupportedProtocol("ftp"), FatalError),
        (httpx.InvalidURL("no host"), FatalError),
        (httpx.LocalProtocolError("header"), FatalError),
    ],
)
def test_silence_is_an_outage_and_maybe_billed_once_the_call_was_sent(
    error: httpx.HTTPError | httpx.InvalidURL, kind: type[Exception]
) -> None:
    assert type(error_of_transport("Cohere", error)) is kind


@pytest.mark.parametrize("code", ["context_length_exceeded", "string_above_max_length"])
def test_a_text_that_is_too_long_has_a_kind_of_its_own(code: str) -> None:
    error = error_of(Refusal("OpenAI", 400, code=code))
    assert isinstance(error, RecordError)
    assert error.kind == "TextTooLong"


def test_a_call_with_too_many_tokens_can_be_halved() -> None:
    assert isinstance(error_of(Refusal("OpenAI", 400, code="max_tokens_per_request")), RecordError)


def test_a_message_says_status_code_and_parameter() -> None:
    error = error_of(Refusal("OpenAI", 400, code="unknown_parameter", param="dimensions"))
    assert isinstance(error, FatalError)
    assert str(error) == (
        "OpenAI answers 400 unknown_parameter about dimensions: check embedder.dimensions"
    )


def test_an_error_says_to_metrics_how_the_provider_refused() -> None:
    refused = [error_of(Refusal("Cohere", status)) for status in (400, 401, 429, 503)]
    assert [error.code for error in refused] == ["400", "401", "429", "503"]
    assert error_of_transport("Cohere", httpx.ReadTimeout("slow")).code == "ReadTimeout"
