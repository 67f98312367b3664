"""librdkafka's mock cluster: a Kafka broker inside this process, for the demo and for tests.

Its limits: topics appear when somebody writes to them, always with four partitions and without
ids; a partition keeps 5 MiB; no administration, no access control; the first member of a group
waits three seconds.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import Producer

if TYPE_CHECKING:
    from types import TracebackType

PARTITIONS = 4
"""Of every topic."""

_log = logging.getLogger(__name__)
_ANSWER_S = 10.0


class MockCluster:
    """Brokers on ports of this machine until ``close``; any client, of any process, may connect."""

    def __init__(self, brokers: int = 1) -> None:
        properties: dict[str, Any] = {"test.mock.num.brokers": brokers, "log_level": 2}
        self._owner: Producer | None = Producer({**properties, "logger": _log})
        found = self._owner.list_topics(timeout=_ANSWER_S).brokers.values()
        self.bootstrap_servers = ",".join(f"{one.host}:{one.port}" for one in found)

    def close(self) -> None:
        """End the brokers; what they hold is gone."""
        self._owner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
