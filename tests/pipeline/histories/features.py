"""What the product does already; a history demands nothing else."""

from __future__ import annotations

from enum import Enum, auto


class Feature(Enum):
    """A promise that a history can hold the product to."""

    TOAST = auto()
    """An update without its large columns is no dead letter: what they hold is known."""
    KEY_CHANGE = auto()
    """A row whose key changes keeps its vector, also where its large columns were not sent."""
    TRUNCATE = auto()
    """``truncate.mode=delete``: what is older than a TRUNCATE leaves the index."""
    SECOND_LOOK = auto()
    """Where the store takes late writes of a frozen worker, they are found and repaired."""
    CACHE = auto()
    """What a store shows late is known all the same: nothing is paid for again, and nothing is
    taken for unchanged that an older change was written over."""
    MARKED = auto()
    """A dead letter is no harm to the changes before it: no text of theirs is paid for again, and
    none that could be completed is a dead letter as well."""
    REFUSED = auto()
    """What a store refuses silently, as it remembers a newer deletion, is not taken for written."""

    REPLAY = auto()
    """Dead letters are replayed whenever somebody asks, and nothing old is put over anything new;
    in the end all are, and the index is the table."""


ENABLED: frozenset[Feature] = frozenset(
    {
        Feature.TOAST,
        Feature.KEY_CHANGE,
        Feature.SECOND_LOOK,
        Feature.MARKED,
        Feature.CACHE,
        Feature.REFUSED,
        Feature.REPLAY,
    }
)
"""Turn a feature on here once it is built."""
