"""What tests can say to the fake embedder."""

from __future__ import annotations

import numpy as np
import pytest

from worker.clock import FakeClock
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose
from worker.errors import FatalError, RetriableError, Stage


def fake(clock: FakeClock | None = None, **keys: object) -> FakeEmbedder:
    named = {f"embedder.{name.replace('_', '.')}": value for name, value in keys.items()}
    return FakeEmbedder(FakeConfig.model_validate(named), clock=clock)


def test_calls_and_texts_are_counted() -> None:
    embedder = fake()
    embedder.embed(["a", "b"], Purpose.DOCUMENT)
    embedder.embed(["c"], Purpose.QUERY)
    assert (embedder.calls, embedder.texts) == (2, 3)


def test_the_next_calls_raise_what_they_are_told_to() -> None:
    embedder = fake()
    embedder.fail_next(RetriableError("busy"), FatalError("key"))
    with pytest.raises(RetriableError, match="busy"):
        embedder.embed(["a"], Purpose.DOCUMENT)
    with pytest.raises(FatalError, match="key"):
        embedder.embed(["a"], Purpose.DOCUMENT)
    assert embedder.embed(["a"], Purpose.DOCUMENT).refused == {}
    assert (embedder.calls, embedder.texts) == (3, 1)


def test_texts_with_the_marker_are_refused_as_values() -> None:
    embedder = fake(refuse="poison")
    answer = embedder.embed(["good", "a poison pill", "fine"], Purpose.DOCUMENT)
    assert set(answer.refused) == {1}
    assert answer.refused[1].stage is Stage.EMBED
    assert "pill" not in str(answer.refused[1])


def test_latency_is_waited_for_on_the_clock() -> None:
    clock = FakeClock()
    fake(clock, latency_ms="250").embed(["a"], Purpose.DOCUMENT)
    assert clock.waits == [0.25]


def test_another_name_is_another_model() -> None:
    assert fake(model="b").model != fake(model="a").model


def test_documents_and_queries_of_one_text_agree() -> None:
    embedder = fake()
    np.testing.assert_array_equal(
        embedder.embed(["a"], Purpose.DOCUMENT).vectors,
        embedder.embed(["a"], Purpose.QUERY).vectors,
    )
