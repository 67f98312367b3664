"""Which letters are meant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Self

from worker.errors import ConfigError
from worker.immutable import immutable
from worker.letters.standing import LetterState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.explain.wanted import Wanted
    from worker.letters.case import Case

_PLACE = re.compile(r"(\d+)(?::(\d+)(?:-(\d+))?)?")
_AGE = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Stretch(NamedTuple):
    """Letters of one partition of the dead-letter topic."""

    partition: int
    first: int = 0
    last: int | None = None
    """None: to the end."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """``3``, ``3:120`` or ``3:120-180``.

        Raises:
            ConfigError: it is none of these.
        """
        found = _PLACE.fullmatch(text.strip())
        if found is None:
            raise ConfigError(
                f"{text!r} is no place in the dead-letter topic: write PARTITION, "
                "PARTITION:OFFSET or PARTITION:FIRST-LAST, such as 0:17"
            )
        partition, first, last = found.groups()
        if first is None:
            return cls(int(partition))
        return cls(int(partition), int(first), int(last or first))

    def has(self, partition: int, offset: int) -> bool:
        """Whether this letter is one of them."""
        is_before_end = self.last is None or offset <= self.last
        return partition == self.partition and self.first <= offset and is_before_end


@immutable
class Selection:
    """All conditions must hold; an empty one always does."""

    kinds: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    """``products`` or ``public.products``."""
    states: frozenset[LetterState] = frozenset()
    stretches: tuple[Stretch, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    """Not included."""
    key: Wanted | None = None
    """The row."""

    @property
    def has_filter(self) -> bool:
        """Whether more than the state chooses."""
        return self != Selection(states=self.states)

    def fits(self, case: Case) -> bool:
        """Whether a letter is meant; of its row only ``Mailbox`` can tell."""
        letter = case.letter
        return (
            (not self.kinds or letter.kind in self.kinds)
            and (not self.stages or letter.stage in self.stages)
            and (not self.tables or not self.tables.isdisjoint(_names(case.table)))
            and (not self.states or case.state in self.states)
            and self._is_there(letter.partition, letter.offset)
            and self._is_then(letter.came_ms)
        )

    def _is_there(self, partition: int, offset: int) -> bool:
        stretches = self.stretches
        return not stretches or any(one.has(partition, offset) for one in stretches)

    def _is_then(self, came_ms: int | None) -> bool:
        if self.since_ms is None and self.until_ms is None:
            return True
        if came_ms is None:
            return False
        is_early = self.since_ms is not None and came_ms < self.since_ms
        return not is_early and (self.until_ms is None or came_ms < self.until_ms)


OPEN_STATES = frozenset(state for state in LetterState if not state.is_closed)
_ALL = "all"


def states_of(names: Sequence[str] | None) -> frozenset[LetterState]:
    """The states of these names; what is not closed if there are none.

    Raises:
        ConfigError: there is no such state.
    """
    if not names:
        return OPEN_STATES
    if _ALL in names:
        return frozenset(LetterState)
    known = {state.value: state for state in LetterState}
    for name in names:
        if name not in known:
            raise ConfigError(f"--state: no {name!r}, but {', '.join(known)} or {_ALL}")
    return frozenset(known[name] for name in names)


def _names(table: str) -> tuple[str, str]:
    return table, table.rpartition(".")[2]


def moment_of(text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    """Unix time in ms of ``2026-03-01T02:10``, which is UTC if it has no zone, or ``45m`` ago.

    Raises:
        ConfigError: it is neither.
    """
    text = text.strip()
    age = _AGE.fullmatch(text)
    if age is not None:
        return int(now().timestamp() * 1000) - int(age[1]) * _SECONDS[age[2]] * 1000
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no time: write 2026-03-01T02:10 (UTC), 2026-03-01T02:10+01:00, or how "
            "long ago: 30s, 45m, 2h, 3d"
        ) from error
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
