"""Which records above the commit have their dead letter already, so that they get no second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.model import Record

_MOST = 50
"""Kafka keeps 4 KiB with a commit (``offset.metadata.max.bytes``); offsets have up to 19 digits."""


class Lettered:
    """Of one partition during one assignment, with what the owners before had sent."""

    __slots__ = ("_offsets", "topic_id")

    def __init__(self) -> None:
        self.topic_id = ""
        self._offsets: set[int] = set()

    def inherit(self, topic_id: str, offsets: Iterable[int]) -> None:
        """What the commit says that the assignment begins with."""
        self.topic_id, self._offsets = topic_id, set(offsets)

    def add(self, record: Record) -> None:
        """Its letter is confirmed. In a topic that was made anew offsets mean other records."""
        if record.topic_id != self.topic_id:
            self.inherit(record.topic_id, ())
        self._offsets.add(record.offset)

    def __contains__(self, record: Record) -> bool:
        return record.offset in self._offsets and record.topic_id == self.topic_id

    def above(self, offset: int) -> tuple[int, ...]:
        """Those that a commit of this offset leaves to be read again; forgets the others."""
        if self._offsets:
            self._offsets = {one for one in self._offsets if one >= offset}
        return tuple(sorted(self._offsets)[:_MOST])
