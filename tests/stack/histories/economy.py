"""What a history may cost: how often each text was one that the index did not hold.

A plain model of the index, row by row, in the order of the changes. A worker that takes several
changes of a row together, or equal texts of several rows, pays less.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.stack.histories.rows import Change, Emptied, Gone, Written

if TYPE_CHECKING:
    from collections.abc import Iterable


class Allowance:
    """How often each text of one table may be embedded."""

    def __init__(self) -> None:
        self.texts: Counter[str] = Counter()
        self._index: dict[int, str] = {}
        self._settled: set[int] = set()
        """Keys whose text has been in the index since the worker was last seen idle."""
        self._leaving: dict[int, tuple[str | None, bool]] = {}
        """Rows whose key is changing: the text, and whether it was settled."""
        self._recent: Counter[str] = Counter()
        """Allowed since then: what a crash may lose."""
        self._log: list[Change] = []

    def see(self, changes: Iterable[Change]) -> None:
        """What was committed."""
        for change in changes:
            self._log.append(change)
            match change:
                case Written():
                    self._write(change)
                case Gone():
                    text = self._index.pop(change.id, None)
                    self._leaving[change.id] = (text, change.id in self._settled)
                    self._settled.discard(change.id)
                case Emptied():
                    self._index.clear()
                    self._settled.clear()

    def caught_up(self) -> None:
        """The worker is idle, and the index is the table."""
        self._settled = set(self._index)
        self._recent.clear()

    def crashed(self) -> None:
        """A worker was killed: calls without an answer, and versions that it reads once more."""
        self.texts += self._recent

    def rewound(self) -> None:
        """All records are read again, right after ``caught_up``.

        Rows that the index has are ahead of them. Of others nobody knows that they are gone
        before their last record is read.
        """
        seen: dict[int, str | None] = {}
        for change in self._log:
            match change:
                case Written():
                    key, text = change.row.id, change.row.text
                    if key not in self._index and text is not None and seen.get(key) != text:
                        self._allow(text)
                    seen[key] = text
                case Gone():
                    seen.pop(change.id, None)
                case Emptied():
                    seen.clear()

    def keys(self, text: str) -> set[int]:
        """Rows that ever had it."""
        written = [change.row for change in self._log if isinstance(change, Written)]
        return {row.id for row in written if row.text == text}

    def _write(self, change: Written) -> None:
        key, text = change.row.id, change.row.text
        if text is None:
            self._index.pop(key, None)
            self._settled.discard(key)
            return
        if self._index.get(key) == text:
            return
        self._index[key] = text
        self._settled.discard(key)
        if change.moved_from is not None:
            left, was_settled = self._leaving.pop(change.moved_from, (None, False))
            if left == text and was_settled:
                self._settled.add(key)
                return
        self._allow(text)

    def _allow(self, text: str) -> None:
        self.texts[text] += 1
        self._recent[text] += 1
