"""Which table a change belongs to, also for tombstones, which carry nothing but a topic and a key.

A tombstone must find the same namespace and id as the other changes of its row. Debezium names
topics ``prefix.schema.table`` (PostgreSQL) or ``prefix.database.table`` (MySQL, where schema and
database are one), and a prefix may contain dots, so the two names are taken from the right. In a
topic's name Debezium writes ``_`` for characters that Kafka does not allow
(``AbstractTopicNamingStrategy``); a place spells names in that way for every change, so both roads
lead to the same spelling. What envelopes of the same topic said goes before the topic's name: it
knows PostgreSQL's database, which no topic name holds, and tables that a router sent to a topic of
another name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from worker.model import Change, Origin

_NOT_IN_TOPICS = re.compile(r"[^A-Za-z0-9._-]")
_NAMES_FROM_RIGHT = 3

_Said: TypeAlias = "tuple[str, str | None, str | None, str]"


class Place(NamedTuple):
    """A topic and the table behind it; None for what cannot be known."""

    topic: str
    db: str | None = None
    schema: str | None = None
    table: str | None = None


def place_in_name(topic: str) -> Place:
    """What the topic's name alone says."""
    parts = topic.split(".")
    if len(parts) < _NAMES_FROM_RIGHT:
        return Place(topic)
    return Place(topic, schema=parts[-2] or None, table=parts[-1] or None)


def place_of(topic: str, origin: Origin) -> Place:
    """What a record alone says: its source block, else its topic's name."""
    if not origin.table:
        return place_in_name(topic)
    return _place(topic, origin.db, origin.schema, origin.table)


@lru_cache(maxsize=1024)
def _place(topic: str, db: str | None, schema: str | None, table: str) -> Place:
    return Place(topic, spelled(db), spelled(schema or db), spelled(table))


class Places:
    """The places of changes; remembers by topic what envelopes said."""

    def __init__(self) -> None:
        self._by_said: dict[_Said, Place] = {}
        self._by_topic: dict[str, Place] = {}

    def of(self, change: Change) -> Place:
        """The place of this change; parts are None only where nobody could say them."""
        topic, origin = change.record.topic, change.origin
        if not origin.table:
            return self._recall(topic)
        said = (topic, origin.db, origin.schema, origin.table)
        return self._by_said.get(said) or self._learn(said)

    def _learn(self, said: _Said) -> Place:
        topic, db, schema, table = said
        place = _place(topic, db, schema, table)
        self._by_said[said] = place
        known = self._by_topic.setdefault(topic, place)
        if known != place:  # several tables share the topic: its tombstones could be of any
            self._by_topic[topic] = Place(topic)
        return place

    def _recall(self, topic: str) -> Place:
        return self._by_topic.get(topic) or place_in_name(topic)


def spelled(name: str | None) -> str | None:
    """A name as places spell it."""
    return _NOT_IN_TOPICS.sub("_", name) if name else None
