"""A table, and the events that Debezium sends about it.

Sources: Debezium's ``RelationalChangeRecordEmitter`` (a changed key is ``d``, tombstone and ``c``
with headers that link them), ``PostgresChangeRecordEmitter`` (placeholders for large columns that
an update did not touch, ``before`` by replica identity), ``EventDispatcher`` (the tombstone has the
headers of its delete).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson

from worker.decode.port import NEW_KEY, OLD_KEY
from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from worker.model import Headers, Record
    from worker.source.memory_broker import MemoryBroker

TOPIC = "shop.public.products"
PLACEHOLDER = "__debezium_unavailable_value"
LARGE = "L"
"""What the bodies begin with that PostgreSQL keeps out of line."""
_FIRST_MS = 1_700_000_000_000
_AHEAD = 3
"""By so much a snapshot's log position is ahead of changes that are committed after it."""


class Database(Enum):
    """What tells about the changes."""

    POSTGRES = "postgresql"
    """REPLICA IDENTITY DEFAULT."""
    POSTGRES_FULL = "postgresql, REPLICA IDENTITY FULL"
    MYSQL = "mysql"
    FLATTENED = "postgresql, flattened"
    """As the first, by ``ExtractNewRecordState`` without ``add.fields``: nothing tells a position
    or a time, deletes are tombstones alone, and truncates are dropped."""


_KNOWS_KEYS_ALONE = (Database.POSTGRES, Database.FLATTENED)
"""Of a row as it was before, and of large values that an update left alone, nothing is known."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row without its key."""

    title: str = "a"
    body: str = ""
    price: int = 0
    visible: bool = True

    @property
    def text(self) -> str:
        """What ``document.fields=title, body`` makes of it."""
        return text_of(self.title, self.body)


def text_of(title: str, body: str) -> str:
    return "\n".join(part for part in (title, body) if part)


@dataclass(frozen=True, slots=True)
class Event:
    """What is sent about a row, tombstones included."""

    key: int
    value: bytes | None
    headers: Headers
    row: Row | None
    """The row afterwards; None if it is gone."""
    lacks_body: bool = False
    moved_from: int | None = None
    is_told: bool = True
    """Whether the row's text follows from the events so far."""
    truncates: int = 0
    """How often the table had been emptied before."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """What is sent about a TRUNCATE."""

    value: bytes
    number: int
    """Of how many."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A row as one record says it is."""

    offset: int
    event: Event
    is_again: bool
    """Whether Debezium had sent it before."""


@dataclass(slots=True)
class Past:
    """All that a key ever was, in the order of its partition."""

    partition: int
    moments: list[Moment] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)
    bodies: set[str] = field(default_factory=set)

    @property
    def texts(self) -> Iterator[str]:
        """What may have been its text, also while old events come again."""
        return (text_of(title, body) for title in self.titles for body in self.bodies)


class Table:
    """Rows by key; every statement reaches the topic at once."""

    def __init__(self, broker: MemoryBroker, partitions: int, database: Database) -> None:
        broker.create_topic(TOPIC, partitions)
        self.places = [TopicPartition(TOPIC, number) for number in range(partitions)]
        self.rows: dict[int, Row] = {}
        self.pasts: dict[int, Past] = {}
        self._told: dict[int, str] = {}
        """By key, the last text that followed from the events."""
        self.truncates = 0
        self.truncations: list[tuple[TopicPartition, int, Emptied]] = []
        """Where each stands, at which offset; those that were sent again, too."""
        self._broker = broker
        self._database = database
        self._sent: list[Event | Emptied] = []
        """Everything, in order."""
        self._commits = 0

    # Statements ----------------------------------------------------------------------------

    def write(self, key: int, changes: Mapping[str, Any]) -> None:
        """INSERT, or UPDATE of these columns alone."""
        before = self.rows.get(key)
        self._commits += 1
        if before is None:
            self._put("c", key, Row(**changes))
        else:
            lacks = self._leaves_out(before, changes)
            self._put("u", key, replace(before, **changes), lacks_body=lacks, before=before)

    def delete(self, key: int) -> None:
        """DELETE: the delete and its tombstone."""
        if key in self.rows:
            self._commits += 1
            self._remove(key)

    def move(self, key: int, new: int, changes: Mapping[str, Any]) -> None:
        """UPDATE of the key, and perhaps of other columns."""
        if key not in self.rows or new in self.rows:
            return
        self._commits += 1
        before = self.rows[key]
        self._remove(key, ((NEW_KEY, _key(new)),))
        lacks = self._leaves_out(before, changes)
        self._put("c", new, replace(before, **changes), lacks_body=lacks, moved_from=key)

    def truncate(self, partition: int) -> None:
        """TRUNCATE, with ``skipped.operations=none``.

        It waits until nobody reads the table any more, so it is ahead of a snapshot's rows.
        """
        if self._is_flat:
            return  # or the index would keep what the table has not
        self._commits += 1 + _AHEAD
        self.truncates += 1
        self.rows.clear()
        self._told.clear()
        self._send_truncate(Emptied(self._envelope("t", None, None), self.truncates), partition)

    def snapshot(self) -> None:
        """All rows are read again, whole; newer in time, and in the log perhaps as well."""
        self._commits += 1
        for key, row in sorted(self.rows.items()):
            self._put("r", key, row)

    def send_again(self, events: int) -> None:
        """The connector crashed: its last events come again, as they were.

        Those of one change all do, as they have one offset in the source.
        """
        first = max(0, len(self._sent) - events)
        while first < len(self._sent) and _belongs_to_the_one_before(self._sent[first]):
            first -= 1
        for event in self._sent[first:]:
            if isinstance(event, Emptied):
                self._send_truncate(event)
            else:
                self._send(event, is_again=True)

    # Events --------------------------------------------------------------------------------

    @property
    def _is_flat(self) -> bool:
        return self._database is Database.FLATTENED

    def _leaves_out(self, before: Row, changes: Mapping[str, Any]) -> bool:
        is_large = before.body.startswith(LARGE)
        return self._database in _KNOWS_KEYS_ALONE and is_large and "body" not in changes

    def _put(
        self,
        op: str,
        key: int,
        row: Row,
        *,
        lacks_body: bool = False,
        before: Row | None = None,
        moved_from: int | None = None,
    ) -> None:
        self.rows[key] = row
        headers = () if moved_from is None else ((OLD_KEY, _key(moved_from)),)
        after = _columns(key, row)
        if lacks_body:
            after["body"] = PLACEHOLDER
        sent = None if before is None else self._before(key, before)
        value = self._envelope(op, sent, after)
        known = self._told.pop(key if moved_from is None else moved_from, None)
        is_told = not lacks_body or known == row.text
        if is_told:
            self._told[key] = row.text
        self._send(Event(key, value, headers, row, lacks_body, moved_from, is_told, self.truncates))

    def _remove(self, key: int, headers: Headers = ()) -> None:
        before = self._before(key, self.rows.pop(key)) or {"id": key}
        deletes = () if self._is_flat else (self._envelope("d", before, None),)
        for value in (*deletes, None):
            self._send(Event(key, value, headers, None, truncates=self.truncates))

    def _before(self, key: int, row: Row) -> dict[str, Any] | None:
        return None if self._database in _KNOWS_KEYS_ALONE else _columns(key, row)

    def _envelope(
        self, op: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> bytes:
        if self._is_flat:
            return orjson.dumps(after)
        source = self._source(self._commits + (_AHEAD if op == "r" else 0))
        return orjson.dumps({"op": op, "before": before, "after": after, "source": source})

    def _source(self, position: int) -> dict[str, Any]:
        source = {"db": "shop", "schema": "public", "table": "products"}
        if self._database is Database.MYSQL:  # its times have one second
            seconds = 1_000 * (self._commits // 4)
            place = {"connector": "mysql", "file": "binlog.000012", "pos": position}
            return {**source, **place, "ts_ms": _FIRST_MS + seconds}
        place = {"connector": "postgresql", "lsn": position}
        return {**source, **place, "ts_ms": _FIRST_MS + self._commits // 2}

    def _send(self, event: Event, *, is_again: bool = False) -> None:
        self._sent.append(event)
        record = self._produce(_key(event.key), event.value, event.headers)
        past = self.pasts.setdefault(event.key, Past(record.partition))
        past.moments.append(Moment(record.offset, event, is_again))
        if event.row is not None:
            past.titles.add(event.row.title)
            past.bodies.add(event.row.body)

    def _send_truncate(self, event: Emptied, partition: int | None = None) -> None:
        """It has no key, so it may come to another partition when it is sent again."""
        self._sent.append(event)
        number = None if partition is None else partition % len(self.places)
        record = self._produce(None, event.value, (), number)
        place = TopicPartition(TOPIC, record.partition)
        self.truncations.append((place, record.offset, event))

    def _produce(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        partition: int | None = None,
    ) -> Record:
        return self._broker.produce(
            TOPIC,
            key,
            value,
            partition=partition,
            headers=headers,
            timestamp_ms=_FIRST_MS + self._commits,
        )


def _belongs_to_the_one_before(event: Event | Emptied) -> bool:
    """Tombstones, and what follows the delete and the tombstone of a key change."""
    return isinstance(event, Event) and (event.value is None or event.moved_from is not None)


def _columns(key: int, row: Row) -> dict[str, Any]:
    return {
        "id": key,
        "title": row.title,
        "body": row.body,
        "price": row.price,
        "visible": row.visible,
    }


def _key(key: int) -> bytes:
    return b'{"id":%d}' % key
