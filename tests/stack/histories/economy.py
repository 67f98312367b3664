"""What a history may cost: how often each text was one that the index did not hold.

A plain model of the index, row by row, in the order of the changes. A worker that takes several
changes of a row together, or equal texts of several rows, pays less.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.stack.histories.rows import Change, Emptied, Gone, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.stack.histories.kinds import Key

_NOTHING: frozenset[str] = frozenset()


class Allowance:
    """How often each text of one table may be embedded."""

    def __init__(self, pieces: Callable[[str], Sequence[str]]) -> None:
        """``pieces`` are what is embedded for a text: itself, or its chunks."""
        self.texts: Counter[str] = Counter()
        self._pieces = pieces
        self._index: dict[Key, str] = {}
        self._settled: set[Key] = set()
        """Keys whose text has been in the index since the worker was last seen idle."""
        self._leaving: dict[Key, tuple[str | None, bool]] = {}
        """Rows whose key is changing: the text, and whether it was settled."""
        self._recent: Counter[str] = Counter()
        """Allowed since then: what a crash may lose."""
        self._log: list[Change] = []
        self._committed = 0
        """So many changes are committed for sure."""
        self._seen = 0
        """So many were in the index when the worker was last seen idle."""

    def see(self, changes: Iterable[Change]) -> None:
        """What was committed."""
        for change in changes:
            self._log.append(change)
            match change:
                case Written():
                    self._write(change)
                case Gone():
                    text = self._index.pop(change.key, None)
                    self._leaving[change.key] = (text, change.key in self._settled)
                    self._settled.discard(change.key)
                case Emptied():
                    self._index.clear()
                    self._settled.clear()

    def caught_up(self, lost: int) -> None:
        """The worker is idle, and the index is the table; so many answers were lost meanwhile."""
        for _ in range(lost):
            self.texts += self._recent
        self._settled = set(self._index)
        self._recent.clear()
        self._committed = self._seen = len(self._log)

    def crashed(self) -> None:
        """A worker was killed: calls without an answer, and versions that are read once more."""
        self.texts += self._recent
        self._read_again()

    def rewound(self) -> None:
        """All records are read again, right after ``caught_up``."""
        self._committed = 0
        self._read_again()

    def _read_again(self) -> None:
        """Rows that the index has are ahead of what is read.

        Of others nobody knows that they are gone before their last record is read. A key that a
        row has left lately may be without one, whatever has come there since.
        """
        left = {change.key for change in self._log[self._seen :] if isinstance(change, Gone)}
        there = self._index.keys() - left
        seen: dict[Key, str | None] = {}
        for change in self._log[self._committed :]:
            match change:
                case Written():
                    key, text = change.row.key, change.row.text
                    if key not in there and text is not None and seen.get(key) != text:
                        self._allow(text, self._held(seen.get(key)))
                    seen[key] = text
                case Gone():
                    seen.pop(change.key, None)
                case Emptied():
                    seen.clear()

    def keys(self, text: str) -> set[Key]:
        """Rows that ever had it."""
        written = [change.row for change in self._log if isinstance(change, Written)]
        return {row.key for row in written if text in self._held(row.text)}

    def _write(self, change: Written) -> None:
        key, text = change.row.key, change.row.text
        left, was_settled = None, False
        if change.moved_from is not None:
            left, was_settled = self._leaving.pop(change.moved_from, (None, False))
        if text is None:
            self._index.pop(key, None)
            self._settled.discard(key)
            return
        before = self._index.get(key)
        if before == text:
            return
        self._index[key] = text
        self._settled.discard(key)
        if left == text and was_settled:
            self._settled.add(key)
            return
        self._allow(text, self._held(left if was_settled else before))

    def _held(self, text: str | None) -> frozenset[str]:
        return _NOTHING if text is None else frozenset(self._pieces(text))

    def _allow(self, text: str, held: frozenset[str]) -> None:
        new = [piece for piece in dict.fromkeys(self._pieces(text)) if piece not in held]
        self.texts.update(new)
        self._recent.update(new)
