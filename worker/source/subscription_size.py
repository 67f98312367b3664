"""How many partitions a subscription has, asked for in a thread of its own."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

    from worker.clock import Clock
    from worker.source.subscription import Subscription

_REQUEST_S = 5.0
_LOOK_AGAIN_S = 30.0


class SubscriptionSize:
    """The number of partitions, whoever holds them; asks again every half minute."""

    def __init__(self, admin: AdminClient, clock: Clock, subscription: Subscription) -> None:
        self._admin = admin
        self._clock = clock
        self._subscription = subscription
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="subscription")
        self._due_s = clock.now_s()
        self._asked: Future[int | None] | None = None
        self._known: int | None = None

    @property
    def partitions(self) -> int | None:
        """As known now; None before the first answer. Never blocks."""
        if self._asked is not None and self._asked.done():
            self._known = self._asked.result() or self._known
            self._asked = None
        if self._asked is None and self._clock.now_s() >= self._due_s:
            self._due_s = self._clock.now_s() + _LOOK_AGAIN_S
            self._asked = self._thread.submit(self._count)
        return self._known

    def close(self) -> None:
        """Ask no more; a question under way is left alone."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _count(self) -> int | None:
        try:
            topics = self._admin.list_topics(timeout=_REQUEST_S).topics
        except KafkaException:
            return None  # an outage; the question comes again
        return sum(len(topics[topic].partitions) for topic in self._subscription.select(topics))
