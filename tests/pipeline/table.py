"""A table whose changes reach a topic as Debezium writes them, and what the index should show."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.decode.port import NEW_KEY, OLD_KEY
from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from worker.model import Headers, Record
    from worker.source.memory_broker import MemoryBroker

TOPIC = "shop.public.products"
PLACEHOLDER = "__debezium_unavailable_value"
Row = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """A row as it was after one of its changes; None if it was gone."""

    offset: int
    row: Row | None


class Table:
    """Columns ``name``, ``body`` (may be TOASTed) and ``price``, by ``id``."""

    def __init__(self, broker: MemoryBroker, partitions: int, topic: str = TOPIC) -> None:
        broker.create_topic(topic, partitions)
        self.topic = topic
        self.partitions = partitions
        self.rows: dict[int, Row] = {}
        self.history: defaultdict[tuple[int, int], list[Moment]] = defaultdict(list)
        """By (partition, id)."""
        self.sent_ms: int | None = None
        """Timestamp of all records; None: each comes a millisecond after the one before."""
        self.partial: set[tuple[int, int]] = set()
        """(partition, offset) of records with placeholders."""
        self._broker = broker
        self._commits = 0
        self._log_began = 0
        self._sent: list[tuple[int, Record, Row | None]] = []
        """Ids, records, and the rows as they were then."""

    @property
    def places(self) -> list[TopicPartition]:
        return [TopicPartition(self.topic, number) for number in range(self.partitions)]

    @staticmethod
    def partition_of(key: bytes, partitions: int) -> int:
        """Where a row's records go."""
        row_id: int = json.loads(key)["id"]
        return row_id % partitions

    def insert(self, row_id: int, *, name: str = "n", body: str = "b", price: int = 0) -> Record:
        return self._put("c", row_id, {"name": name, "body": body, "price": price})

    def update(self, row_id: int, *, without: Collection[str] = (), **columns: Any) -> Record:
        """Change columns; Debezium leaves out those of ``without``, which keep their value."""
        return self._put("u", row_id, {**self.rows[row_id], **columns}, without=without)

    def read_again(self, row_id: int) -> Record:
        """A snapshot comes by."""
        return self._put("r", row_id, self.rows[row_id])

    def delete(self, row_id: int, *, headers: Headers = ()) -> Record:
        del self.rows[row_id]
        self._commits += 1
        self._send("d", row_id, None, headers)
        return self._note(row_id, self._produce(row_id, None, headers), None)

    def move(self, row_id: int, new_id: int, *, without: Collection[str] = ()) -> Record:
        """Change the key, as PostgreSQL and MySQL report it."""
        row = self.rows[row_id]
        self.delete(row_id, headers=((NEW_KEY, _key(new_id)),))
        self._commits -= 1  # both halves have the same source position
        return self._put("c", new_id, row, without=without, headers=((OLD_KEY, _key(row_id)),))

    def arrive_alone(self, new_id: int, row_id: int, *, without: Collection[str] = ()) -> None:
        """The second half of a ``move`` that comes again, as the first one did not come."""
        row = self.rows[row_id]
        self._put("c", new_id, row, without=without, headers=((OLD_KEY, _key(row_id)),))
        del self.rows[new_id]
        self._commits -= 1

    def truncate(self, *, partition: int = 0) -> Record:
        """All rows are gone; the record has no key and lands anywhere."""
        self.rows.clear()
        self._commits += 1
        value = {"op": "t", "before": None, "after": None, "source": self._source()}
        return self._broker.produce(
            self.topic, None, json.dumps(value).encode(), partition=partition
        )

    def send_again(self, records: int, *, but: int = 0) -> None:
        """The connector crashed: its last records come again, as they were.

        Without the last so many of them, if it crashes once more before it has sent those.
        """
        for row_id, record, row in self._sent[-records : len(self._sent) - but]:
            again = self._broker.produce(
                self.topic,
                record.key,
                record.value,
                partition=record.partition,
                headers=record.headers,
                timestamp_ms=record.timestamp_ms,
            )
            self._note(row_id, again, row)
            if (record.partition, record.offset) in self.partial:
                self.partial.add((again.partition, again.offset))

    def restored(self) -> None:
        """The database is another one, whose log begins anew; its rows are the same."""
        self._log_began = self._commits

    def pass_time(self, ms: int) -> None:
        """The next change comes so much later."""
        self._commits += ms

    def garbage(self, row_id: int) -> Record:
        """A record under the row's key that nobody can read."""
        return self._produce(row_id, b"{", ())

    def _put(
        self,
        op: str,
        row_id: int,
        row: Row,
        *,
        without: Collection[str] = (),
        headers: Headers = (),
    ) -> Record:
        self.rows[row_id] = row
        self._commits += 1
        after = {**row, **dict.fromkeys(without, PLACEHOLDER), "id": row_id}
        record = self._send(op, row_id, after, headers)
        if without:
            self.partial.add((record.partition, record.offset))
        return record

    def _send(self, op: str, row_id: int, after: Row | None, headers: Headers) -> Record:
        value = {"op": op, "before": None, "after": after, "source": self._source()}
        record = self._produce(row_id, json.dumps(value).encode(), headers)
        return self._note(row_id, record, self.rows.get(row_id))

    def _source(self) -> Row:
        return {
            "connector": "postgresql",
            "db": "shop",
            "schema": "public",
            "table": "products",
            "ts_ms": 1_000 + self._commits,
            "lsn": self._commits - self._log_began,
        }

    def _note(self, row_id: int, record: Record, row: Row | None) -> Record:
        self._sent.append((row_id, record, row))
        moment = Moment(record.offset, None if row is None else dict(row))
        self.history[record.partition, row_id].append(moment)
        return record

    def _produce(self, row_id: int, value: bytes | None, headers: Headers) -> Record:
        return self._broker.produce(
            self.topic,
            _key(row_id),
            value,
            partition=row_id % self.partitions,
            headers=headers,
            timestamp_ms=1_000 + self._commits if self.sent_ms is None else self.sent_ms,
        )


def _key(row_id: int) -> bytes:
    return json.dumps({"id": row_id}).encode()


def text_of(row: Mapping[str, Any]) -> str:
    """What ``document.fields`` of the world makes of a row."""
    return f"Name: {row['name']}\n{row['body']}"
