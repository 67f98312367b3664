"""A dead-letter topic in memory, for tests and trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.dlq.headers import Sender, headers_of, without_stack_traces
from worker.errors import FatalError
from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.dlq.port import DeadLetter


class MemoryDeadLetterQueue:
    """Takes letters at once and confirms them at the next ``confirmed``, unless told otherwise."""

    def __init__(
        self,
        topic: str = "dead-letters",
        *,
        sender: Sender | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self._topic = topic
        self._sender = sender or Sender("memory", 0, "test")
        self._max_bytes = max_bytes
        self._waiting: list[DeadLetter] = []
        self._is_down = False
        self._is_closed = False
        self._failure: FatalError | None = None
        self.records: list[Record] = []
        """The topic: what was delivered, in order."""

    def down(self) -> None:
        """Confirm nothing until ``up``: the brokers are away."""
        self._is_down = True

    def up(self) -> None:
        """Deliver what waits, and everything from now on."""
        self._is_down = False

    def refuse(self, reason: str) -> None:
        """Fail for good, as without permission."""
        self._failure = FatalError(reason)

    def send(self, letter: DeadLetter) -> None:
        """Keep it until the next ``confirmed``."""
        self._waiting.append(letter)

    def confirmed(self) -> Sequence[DeadLetter]:
        """Deliver what waits."""
        if self._failure is not None:
            raise self._failure
        if self._is_down or self._is_closed:
            return ()
        letters, self._waiting = self._waiting, []
        self.records += [self._delivered(letter) for letter in letters]
        return letters

    def close(self, timeout_s: float) -> None:  # noqa: ARG002 - nothing to wait for
        """Deliver what waits, unless the brokers are away."""
        if not self._is_down and self._failure is None:
            self.records += [self._delivered(letter) for letter in self._waiting]
        self._waiting.clear()
        self._is_closed = True

    def _delivered(self, letter: DeadLetter) -> Record:
        record = letter.record
        headers = headers_of(letter, self._sender)
        delivered = self._packed(record, headers)
        if self._is_too_large(delivered):
            delivered = self._packed(record, without_stack_traces(headers))
        if self._is_too_large(delivered):
            self._failure = FatalError(f"a dead letter is too large for {self._topic}")
            raise self._failure
        return delivered

    def _is_too_large(self, record: Record) -> bool:
        texts = [record.key, record.value, *(value for _, value in record.headers)]
        size = sum(len(text or b"") for text in texts)
        return self._max_bytes is not None and size > self._max_bytes

    def _packed(self, record: Record, headers: tuple[tuple[str, bytes | None], ...]) -> Record:
        return Record(
            topic=self._topic,
            partition=0,
            offset=len(self.records),
            key=record.key,
            value=record.value,
            headers=headers,
            timestamp_ms=record.timestamp_ms,
        )
