"""What may happen to a table and to the workers that follow it, as data that Hypothesis draws.

Every event means something in every state, so that any of them can be left out of a history that
failed: what is left is short. A counterexample can be pasted into a test as it is printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

from tests.pipeline.histories.table import LARGE, Database
from tests.pipeline.histories.turns import End

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POISON = "poison"
"""Texts that contain it are refused."""


@dataclass(frozen=True)
class Write:
    """INSERT, or UPDATE of these columns."""

    key: int
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Delete:
    key: int


@dataclass(frozen=True)
class Move:
    """UPDATE of the key."""

    key: int
    new: int
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Truncate:
    """TRUNCATE; what Debezium says of it may reach any partition. Only where it is carried out."""

    partition: int


@dataclass(frozen=True)
class Snapshot:
    """All rows are read again."""


@dataclass(frozen=True)
class SendAgain:
    """Debezium crashed."""

    events: int


@dataclass(frozen=True)
class Join:
    """One more worker."""


@dataclass(frozen=True)
class WorkOn:
    """A worker's loop turns, and so many calls of its batches are answered."""

    worker: int
    calls: int
    hangs: bool
    """Whether its calls outlast a revoke."""


@dataclass(frozen=True)
class Answer:
    """Any waiting call ends so."""

    call: int
    end: End


@dataclass(frozen=True)
class Leave:
    """A worker stops in order."""

    worker: int
    hangs: bool


@dataclass(frozen=True)
class Crash:
    """A worker is gone; what it was about to call may still have happened."""

    worker: int
    happened: bool
    """Whether what it was about to call did."""


@dataclass(frozen=True)
class Freeze:
    """A worker stands still until the others may have its partitions."""

    worker: int
    in_write: bool = False
    """Whether it does so after it has sent a write, if it comes to one; that arrives later."""


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Outage:
    """For some time this is out: calls of a method, the dead-letter topic, the broker."""

    what: str
    seconds: float


@dataclass(frozen=True)
class SetBack:
    """Everybody stops, and the group begins anew."""


@dataclass(frozen=True)
class Replay:
    """Somebody asks for all dead letters that are open."""

    heals: bool
    """Whether from now on the provider takes the texts that it refused."""


Event: TypeAlias = (
    Write
    | Delete
    | Move
    | Truncate
    | Snapshot
    | SendAgain
    | Join
    | WorkOn
    | Answer
    | Leave
    | Crash
    | Freeze
    | Pass
    | Outage
    | SetBack
    | Replay
)


@dataclass(frozen=True)
class Setting:
    """Where a history happens."""

    database: Database = Database.POSTGRES
    guarded: bool = True
    settle_s: float = 0.0
    transactional: bool = False
    """The store writes rows of several points at once."""
    numbers_writes: bool = False
    """The store says how much of what was written it shows."""
    partitions: int = 1
    rows: int = 1
    """Most rows of a batch."""
    in_flight: int = 1
    has_condition: bool = False
    """``document.when: visible``."""
    has_chunks: bool = False
    """Each letter of a text is a chunk."""
    empties: bool = False
    """``truncate.mode: delete``."""


@dataclass(frozen=True)
class History:
    setting: Setting
    events: tuple[Event, ...]


KEYS = 4
WORKERS = 3
LETTERS, BROKER = "letters", "broker"
_OUTAGES = ("embed", "fetch", "upsert", "delete", "scan", "note", LETTERS, BROKER)

_COLUMNS: Mapping[str, Sequence[Any]] = {
    "price": (1, 2),
    "body": (LARGE, "s", LARGE + "2", ""),
    "title": ("b", ""),
    "visible": (False, True),
}


def _updates() -> list[Mapping[str, Any]]:
    """Of any subset of the columns, small ones first."""
    choices = [[(name, None), *((name, one) for one in _COLUMNS[name])] for name in _COLUMNS]
    updates = [
        {name: value for name, value in chosen if value is not None} for chosen in product(*choices)
    ]
    return sorted(updates, key=len)


_UPDATES = _updates()
_MOVE_UPDATES = _UPDATES[:10]
_REPLAYS = (Replay(heals=False), Replay(heals=False), Replay(heals=True))


def _kinds() -> list[tuple[int, Sequence[Event]]]:
    """How often each kind happens in a hundred, and all that it may be; the simplest come first."""
    keys, workers, ends = range(KEYS), range(WORKERS), (End.DONE, End.FAILED, End.UNSURE)
    return [
        (32, [Write(key, update) for update in _UPDATES for key in keys]),
        (5, [Write(key, {"body": POISON}) for key in keys]),
        (
            34,
            [
                WorkOn(worker, calls, hangs)
                for hangs in (False, True)
                for worker in workers
                for calls in (9, 0, 1, 2, 3, 4, 6)
            ],
        ),
        (5, [Delete(key) for key in keys]),
        (4, [Move(a, b, one) for one in _MOVE_UPDATES for a in keys for b in keys if a != b]),
        (2, [Snapshot()]),
        (3, [SendAgain(events) for events in range(1, 7)]),
        (3, [Join()]),
        (5, [Answer(call, end) for end in ends for call in range(4)]),
        (1, [Leave(worker, hangs) for hangs in (False, True) for worker in workers]),
        (3, [Crash(worker, happened) for happened in (False, True) for worker in workers]),
        (2, [Freeze(worker) for worker in workers]),
        (3, [Freeze(worker, in_write=True) for worker in workers]),
        (1, [Pass(seconds) for seconds in (0.5, 3.0, 30.0, 100.0)]),
        (2, [Outage(what, seconds) for seconds in (1.0, 10.0) for what in _OUTAGES]),
        (1, [SetBack()]),
        (5, _REPLAYS),
        (3, [Truncate(partition) for partition in range(3)]),
    ]


_SHARES = [(share, st.sampled_from(kind)) for share, kind in _kinds()]
_MOST = 16
"""So often in a hundred, and more, happens a kind that a history has more of than others."""


@cache
def _events(favourites: frozenset[int]) -> st.SearchStrategy[Event]:
    """One of any kind; of these kinds more than usual."""
    kinds = [
        kind
        for number, (share, kind) in enumerate(_SHARES)
        for _ in range(share + _MOST * (number in favourites))
    ]
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


_favourites = st.frozensets(st.sampled_from(range(len(_SHARES))), max_size=4)
"""What is rare meets what is rare only where both are not."""


def _chapters(favourites: frozenset[int]) -> st.SearchStrategy[Sequence[Sequence[Event]]]:
    """A list is drawn with five elements or so unless it must have more; these make forty."""
    return st.lists(st.lists(_events(favourites), max_size=12), min_size=4, max_size=16)


_ENVELOPES = (Database.POSTGRES, Database.POSTGRES_FULL, Database.MYSQL)


def histories(
    *, guarded: bool, settle_s: Sequence[float], databases: Sequence[Database] = _ENVELOPES
) -> st.SearchStrategy[History]:
    """Any history, on a store of this kind that shows writes after one of these times."""
    setting = st.builds(
        Setting,
        database=st.sampled_from(databases),
        guarded=st.just(guarded),
        settle_s=st.sampled_from(settle_s),
        transactional=st.booleans() if guarded else st.just(value=False),
        numbers_writes=st.booleans() if any(settle_s) else st.just(value=False),
        partitions=st.integers(1, 3),
        rows=st.integers(1, 3),
        in_flight=st.integers(1, 3),
        has_condition=st.booleans(),
        has_chunks=st.booleans(),
        empties=st.booleans(),
    )
    events = _favourites.flatmap(_chapters).map(lambda them: tuple(chain(*them)))
    return st.builds(History, setting, events)
