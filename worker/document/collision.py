"""Whether the rows of several topics could meet under one id of one namespace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from worker.document.identity import PointIds
from worker.document.pattern import ID_KEY, NAMESPACE_KEY, Pattern
from worker.document.place import Place, place_in_name
from worker.errors import ConfigError, FatalError
from worker.model import Key

if TYPE_CHECKING:
    from collections.abc import Sequence

Topics: TypeAlias = "Sequence[str] | re.Pattern[str]"
"""``topics``, or ``topics.regex`` compiled."""

_SAMPLE = (("id", 1),)
_ADVICE = f"add ${{topic}} to {ID_KEY} or {NAMESPACE_KEY}, such as '${{topic}}:${{key}}'"


def check_identity(namespace: Pattern, point_id: Pattern, topics: Topics) -> None:
    """Refuse names under which rows of two topics would overwrite each other.

    Listed topics are compared pair by pair, by what their names say; as a topic's name does not
    tell PostgreSQL's database, ``${db}`` counts as equal for all (for MySQL ``${schema}`` is the
    same and tells them apart). A regex may match any topics, so it needs ``${topic}`` or
    ``${table}`` in one of the patterns; whether that is enough, ``Claims`` finds out.

    Raises:
        ConfigError: names two such topics and the way out.
    """
    if isinstance(topics, re.Pattern):
        _check_regex(namespace, point_id)
    else:
        _check_list(namespace, point_id, topics)


class Claims:
    """Which topic the ids of a namespace belong to, for topics that only a regex names.

    Safe from several threads.
    """

    def __init__(self) -> None:
        self._topics: dict[tuple[str, str], str] = {}

    def make(self, namespace: str, ids: PointIds, place: Place) -> None:
        """Claim the ids of a place's rows for its topic.

        Raises:
            FatalError: rows of another topic that was read before have the same ids.
            RecordError: the place does not say what the ids need (``UnknownTable``).
        """
        sample = ids.of(place, Key(place.topic, _SAMPLE))
        other = self._topics.setdefault((namespace, sample), place.topic)
        if other != place.topic:
            raise FatalError(
                f"rows of {other} and {place.topic} with the same key would share one point in "
                f"namespace {namespace!r}; {_ADVICE}"
            )


def _check_regex(namespace: Pattern, point_id: Pattern) -> None:
    if {"topic", "table"} & (namespace.variables | point_id.variables):
        return
    raise ConfigError(
        f"{ID_KEY}: topics.regex can match several topics, and their rows would share ids; "
        + _ADVICE
    )


def _check_list(namespace: Pattern, point_id: Pattern, topics: Sequence[str]) -> None:
    ids = PointIds(point_id)
    taken: dict[tuple[str, str], str] = {}
    for topic in dict.fromkeys(topics):
        place = _assumed(topic)
        name = (namespace.fill(place), ids.of(place, Key(topic, _SAMPLE)))
        other = taken.setdefault(name, topic)
        if other != topic:
            raise ConfigError(
                f"{ID_KEY}: rows of {other} and {topic} with the same key would share one point "
                f"in namespace {name[0]!r}; {_ADVICE}"
            )


def _assumed(topic: str) -> Place:
    """What the name says; what it does not say counts as equal for all topics."""
    named = place_in_name(topic)
    return Place(topic, db="", schema=named.schema or "", table=named.table or "")
