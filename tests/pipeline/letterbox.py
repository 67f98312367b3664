"""A dead-letter topic that the tests' broker holds, so that letters can be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.dlq.memory import MemoryDeadLetterQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.dlq.port import DeadLetter
    from worker.source.memory_broker import MemoryBroker

DEAD = "products-dlq"


class LetterBox(MemoryDeadLetterQueue):
    """Writes to the broker what it delivers; counts how often somebody looks."""

    looks = 0

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(DEAD)
        self._broker = broker
        self._written = 0

    def confirmed(self) -> Sequence[DeadLetter]:
        self.looks += 1
        confirmed = super().confirmed()
        self._write()
        return confirmed

    def close(self, timeout_s: float) -> None:
        super().close(timeout_s)
        self._write()

    def _write(self) -> None:
        for record in self.records[self._written :]:
            self._broker.produce(
                DEAD,
                record.key,
                record.value,
                headers=record.headers,
                timestamp_ms=record.timestamp_ms,
            )
        self._written = len(self.records)
