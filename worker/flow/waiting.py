"""What waits for one key, in which order, and where its row goes from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.flow.entry import Entry, Work
    from worker.model import Change, Key

_MOST_MOVES = 10
"""Of one row, to be followed."""


class Place:
    """One key: what waits for it, and the work on it that is in flight."""

    __slots__ = ("flying", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Entry] = []
        self.flying: Work | None = None
        self.size = 0

    def is_alone(self, newest: Entry) -> bool:
        """Whether nothing waits that could be done with, or instead of, what ends with ``newest``.

        What ``chain`` keeps apart has to wait its turn.
        """
        if newest not in self.waiting:
            return False
        after = self.waiting[self.waiting.index(newest) + 1 :]
        if not after or newest.change.moves_away:
            return True
        return _is_apart(newest, after[0]) and not _gives_way(newest, after[0])

    def leaves_after(self, old_key: Key) -> Change | None:
        """How the row that comes here from ``old_key`` goes on to another key, if that waits."""
        begin = 0
        for index, entry in enumerate(self.waiting):
            if entry.change.moved_from == old_key:
                begin = index + 1
                break
        return next((one.change for one in self.waiting[begin:] if one.change.moves_away), None)

    def chain(self) -> list[Entry]:
        """Take out what one write can stand for.

        The delete half of a key change stays alone: it is not swallowed, as its batch keeps the
        row's vector for the new key, and swallows nothing, as that vector has to be there first.
        The other half swallows nothing that came before it: it may have to wait for the first one,
        and that one's partition for what was swallowed. Unless nobody can complete that.
        """
        chain, self.waiting = self.waiting, []
        if len(chain) == 1:
            return chain
        for index, entry in enumerate(chain):
            if index and _gives_way(chain[index - 1], entry):
                continue
            if _is_apart(chain[index - 1], entry) if index else entry.change.moves_away:
                end = index or 1
                chain, self.waiting = chain[:end], chain[end:]
                break
        return chain


def _is_apart(before: Entry, entry: Entry) -> bool:
    """Whether it is not done as one with what waits just before it."""
    return entry.stands_apart or entry.comes_again_after(before)


def _gives_way(before: Entry, entry: Entry) -> bool:
    return before.gives_way_s is not None and not entry.change.moves_away


def insert(entries: list[Entry], entry: Entry) -> None:
    """At the end, or before those of other partitions that are provably newer."""
    at = len(entries)
    while at and entry.is_older_than(entries[at - 1]):
        at -= 1
    entries.insert(at, entry)


def way_of(place: Place, places: Mapping[Key, Place]) -> Sequence[Key]:
    """Where the row goes next, if it is known to leave its key after what was taken out.

    Only what waits is known; it need not be all.
    """
    if not place.waiting:
        return ()
    keys: list[Key] = []
    leaves: Change | None = place.waiting[0].change
    while leaves is not None and leaves.moves_away and leaves.moved_to is not None:
        keys.append(leaves.moved_to)
        after = places.get(leaves.moved_to)
        if after is None or len(keys) == _MOST_MOVES:
            break
        leaves = after.leaves_after(leaves.key)
    return keys
