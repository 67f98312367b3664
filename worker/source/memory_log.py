"""Topics in memory, with the gaps, ends and new beginnings that real ones have."""

from __future__ import annotations

import base64
import uuid
from bisect import bisect_left
from itertools import count

from confluent_kafka import murmur2

from worker.model import Headers, Record, TopicPartition

_FIRST_TIMESTAMP_MS = 1_700_000_000_000


class PartitionLog:
    """Records in growing order of offset; offsets may be missing."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._records: list[Record] = []
        self.start = 0
        """The lowest offset that could be read."""
        self.end = 0
        """The offset that the next record gets."""

    def append(self, record: Record) -> None:
        """Add a record whose offset is the log's end."""
        self._offsets.append(record.offset)
        self._records.append(record)
        self.end += 1

    def skip(self) -> None:
        """Use up an offset without a record, as the marker of a transaction does."""
        self.end += 1

    def read(self, offset: int, max_records: int) -> list[Record]:
        """Records from an offset on."""
        first = bisect_left(self._offsets, offset)
        return self._records[first : first + max_records]

    def truncate(self, before: int) -> None:
        """Retention: what is below is gone."""
        self.start = max(self.start, min(before, self.end))
        self._keep([record for record in self._records if record.offset >= self.start])

    def compact(self) -> None:
        """Keep the newest record of each key; the offsets stay."""
        newest = {record.key: record.offset for record in self._records}
        self._keep([one for one in self._records if newest[one.key] == one.offset])

    def _keep(self, records: list[Record]) -> None:
        self._records = records
        self._offsets = [record.offset for record in records]


class MemoryTopic:
    """A topic; each one made has an id of its own, also under a name that was there before."""

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self.logs = [PartitionLog() for _ in range(partitions)]
        self._rounds = count()
        self._timestamps = count(_FIRST_TIMESTAMP_MS)

    @property
    def places(self) -> list[TopicPartition]:
        """Its partitions."""
        return [TopicPartition(self.name, number) for number in range(len(self.logs))]

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None,
        headers: Headers,
        timestamp_ms: int | None,
    ) -> Record:
        """Write a record; without a partition the key decides, as with Java's producer."""
        number = self._partition(key) if partition is None else partition
        log = self.logs[number]
        now_ms = next(self._timestamps)
        record = Record(
            topic=self.name,
            partition=number,
            offset=log.end,
            key=key,
            value=value,
            headers=headers,
            timestamp_ms=now_ms if timestamp_ms is None else timestamp_ms,
            topic_id=self.id,
        )
        log.append(record)
        return record

    def _partition(self, key: bytes | None) -> int:
        if key is None:
            return next(self._rounds) % len(self.logs)
        return murmur2(key, len(self.logs))
