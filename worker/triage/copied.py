"""The book of letters, read beside the group: nothing is written, and only what is new is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from worker.letters.book import LetterBook
from worker.letters.delays import DELAYS
from worker.letters.standing import PREFIX
from worker.model import TopicPartition
from worker.source.port import Span
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.letters.standing import LetterId, Standing
    from worker.model import Record
    from worker.source.port import SpanReader

_ASK_S = 10.0


class CopiedBook:
    """One thread owns it."""

    def __init__(self, reader: SpanReader, topic: str) -> None:
        """``reader`` is of the state topic."""
        self._reader = reader
        self._place = TopicPartition(topic, 0)
        self._next_offset = 0
        self._log = MemoryLog()
        self._book = LetterBook(MemoryStateTopic(self._log))

    def standings(self) -> Mapping[LetterId, Standing]:
        """Of all letters that were ever touched, as of now.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        reach = self._reader.standings(_ASK_S).get(self._place)
        if reach is None:
            return {}
        if reach.log.end < self._next_offset:  # it was made anew
            self._begin_again()
        span = Span(max(reach.log.start, self._next_offset), reach.log.end)
        for records in self._reader.read({self._place: span}):
            for record in records:
                self._take(record)
        self._next_offset = reach.log.end
        return self._book.standings()

    def _begin_again(self) -> None:
        self._next_offset = 0
        self._log = MemoryLog()
        self._book = LetterBook(MemoryStateTopic(self._log))

    def _take(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if not key.startswith((PREFIX, DELAYS)):
            return
        try:
            value = None if record.value is None else orjson.loads(record.value)
        except orjson.JSONDecodeError:
            return
        self._log.append(key, value if isinstance(value, dict) else None)
