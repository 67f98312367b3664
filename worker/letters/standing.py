"""One dead letter: its name, where it came from, and what became of it.

    letter/<id of the dead-letter topic>/<partition>/<offset>   {"state": "asked", "run": …}

No record means that the letter is open and was never touched.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Self

from worker.immutable import immutable
from worker.model import Position, TopicPartition

if TYPE_CHECKING:
    from worker.state.port import Value

PREFIX = "letter/"


class LetterState(StrEnum):
    """What became of a letter."""

    OPEN = "open"
    """Nothing was done, or nothing could be: then the note says why."""
    ASKED = "asked"
    """To be replayed by whoever owns the partition that it came from."""
    REPLAYED = "replayed"
    """The index is as it says."""
    SUPERSEDED = "superseded"
    """Something newer is known of its row."""
    RETURNED = "returned"
    """Replayed, and failed again: it goes on as a newer letter with a higher replay count."""
    DISCARDED = "discarded"
    """Somebody decided that it is not needed; the note has the reason."""
    QUARANTINED = "quarantined"
    """Never written: what an open letter is called whose replay count has reached the limit, so
    that only force replays it."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to be done."""
        return self in _CLOSED


_CLOSED = frozenset(
    {
        LetterState.REPLAYED,
        LetterState.SUPERSEDED,
        LetterState.RETURNED,
        LetterState.DISCARDED,
    }
)


class LetterId(NamedTuple):
    """Where a letter stands in the dead-letter topic."""

    topic_id: str
    """The UUID of that topic; empty if the broker has none."""
    partition: int
    offset: int

    @property
    def key(self) -> str:
        """Of its record in the state topic."""
        return f"{PREFIX}{self.topic_id}/{self.partition}/{self.offset}"

    @classmethod
    def of_key(cls, key: str) -> Self | None:
        """The letter that a key names; None if it is not of this form."""
        try:
            topic_id, partition, offset = key.removeprefix(PREFIX).rsplit("/", 2)
            return cls(topic_id, int(partition), int(offset))
        except ValueError:
            return None


class LetterOrigin(NamedTuple):
    """Where the record stood that failed first."""

    topic: str
    topic_id: str
    """Empty if the broker had none."""
    partition: int
    offset: int

    @property
    def place(self) -> TopicPartition:
        """The partition whose owner replays it."""
        return TopicPartition(self.topic, self.partition)

    @property
    def position(self) -> Position:
        """As the record has it."""
        return Position(self.topic_id, self.partition, self.offset)


@immutable
class Standing:
    """What is known of a letter."""

    state: LetterState
    note: str = ""
    """Why; never anything of the row."""
    at_ms: int | None = None
    """Unix time of the last change."""
    run: str = ""
    """Id of the replay that asked for it last."""
    origin: LetterOrigin | None = None
    """Of a letter that was asked for."""
    per_s: float | None = None
    """How many letters a second may be released for the run in this partition; None: no limit."""
    force: bool = False
    """Whether it is replayed in quarantine, too, or once more although it is closed."""

    def turned(self, state: LetterState, note: str = "", at_ms: int | None = None) -> Standing:
        """The same letter with another state."""
        return replace(self, state=state, note=note, at_ms=at_ms)

    @property
    def value(self) -> Value:
        """As it is written; what is not there is left out."""
        written = {
            "state": self.state.value,
            "note": self.note,
            "at_ms": self.at_ms,
            "run": self.run,
            "origin": None if self.origin is None else list(self.origin),
            "per_s": self.per_s,
            "force": self.force or None,
        }
        return {name: one for name, one in written.items() if one not in ("", None)}

    @classmethod
    def of_value(cls, value: Value) -> Self | None:
        """What a record says; None if it cannot be understood."""
        try:
            at_ms, origin, per_s = (value.get(name) for name in ("at_ms", "origin", "per_s"))
            return cls(
                state=LetterState(value["state"]),
                note=str(value.get("note", "")),
                at_ms=None if at_ms is None else int(at_ms),
                run=str(value.get("run", "")),
                origin=None if origin is None else _origin(*origin),
                per_s=None if per_s is None else float(per_s),
                force=value.get("force") is True,
            )
        except (KeyError, TypeError, ValueError):
            return None


UNTOUCHED = Standing(LetterState.OPEN)
"""Of a letter without a record."""


def _origin(topic: str, topic_id: str, partition: int, offset: int) -> LetterOrigin:
    return LetterOrigin(str(topic), str(topic_id), int(partition), int(offset))
