"""Who waits for a topic is told which one may have been meant."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from worker.clock import FakeClock
from worker.source.missing_topics import MissingTopics

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


class FakeAdmin:
    """Knows these topics, or does not answer."""

    def __init__(self, *topics: str) -> None:
        self._topics = topics

    def list_topics(self, timeout: float) -> Any:
        if not self._topics:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics=dict.fromkeys(self._topics))


@pytest.mark.parametrize(
    ("known", "hint"),
    [(("shop.products", "orders"), " (did you mean shop.products?)"), (("orders",), ""), ((), "")],
)
def test_the_nearest_topic_is_named_once(
    known: tuple[str, ...], hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    missing = MissingTopics(cast("AdminClient", FakeAdmin(*known)), FakeClock())
    missing.warn("shop.product")
    missing.warn("shop.product")
    missing.warn("elsewhere")
    until_s = time.monotonic() + 10.0
    while len(caplog.messages) < 2 and time.monotonic() < until_s:
        time.sleep(0.01)
    missing.close()
    assert caplog.messages == [
        f"Waiting for topic shop.product to appear{hint}.",
        "Waiting for topic elsewhere to appear.",
    ]
