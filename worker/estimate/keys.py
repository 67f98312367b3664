"""Which text each row has so far: 21 bytes a row, in arrays, so that ten million rows fit.

With the room that a hash table leaves free that is 30 to 60 bytes a row, and half as much again
while the table grows: below 1 GB for ten million rows.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]
    Places = NDArray[np.intp]

_FIRST_SIZE = 1 << 10
_FULLEST = 0.7
_DIGEST_BYTES = 8


def digest_of(text: str) -> int:
    """64 bits that stand for a text; never 0."""
    raw = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(raw, "big") or 1


class RowTexts:
    """By row: the text that the index has once what was read so far is done. Not thread-safe."""

    def __init__(self) -> None:
        self.rows = 0
        self._make(_FIRST_SIZE)

    def places(self, rows: Iterable[int]) -> Places:
        """A place for each of these rows, which are distinct digests; valid until the next call."""
        digests = np.fromiter(rows, np.uint64)
        if self.rows + digests.size > _FULLEST * self._rows.size:
            self._grow(self.rows + digests.size)
        return self._seated(digests)

    def text(self, place: np.intp) -> int | None:
        """Digest of a row's text, 0 if it has none in the index; None for a row not seen before."""
        return int(self._texts[place]) if self._is_seen[place] else None

    def put(self, place: np.intp, text: int, tokens: int) -> None:
        """From now on the row has this text.

        Args:
            place: of the row.
            text: its digest; 0 if the row is not in the index.
            tokens: what embedding it costs; 0 if the index holds it already.
        """
        self._is_seen[place] = True
        self._texts[place] = text
        self._tokens[place] = min(tokens, np.iinfo(np.uint32).max)

    def has(self, row: int) -> bool:
        """Whether a row was seen before."""
        at = row & (self._rows.size - 1)
        while self._rows[at]:
            if self._rows[at] == row:
                return bool(self._is_seen[at])
            at = (at + 1) & (self._rows.size - 1)
        return False

    def newest(self) -> tuple[int, int]:
        """Texts, and their tokens, if each row is embedded once, as it is at the end.

        Equal texts count once.
        """
        is_paid = self._tokens > 0
        _, first = np.unique(self._texts[is_paid], return_index=True)
        return len(first), int(self._tokens[is_paid][first].sum(dtype=np.uint64))

    def _make(self, size: int) -> None:
        self._rows = np.zeros(size, np.uint64)
        self._texts = np.zeros(size, np.uint64)
        self._tokens = np.zeros(size, np.uint32)
        self._is_seen = np.zeros(size, np.bool_)

    def _grow(self, rows: int) -> None:
        taken = self._rows != 0
        before = self._rows[taken], self._texts[taken], self._tokens[taken], self._is_seen[taken]
        size = self._rows.size
        while rows > _FULLEST * size:
            size *= 2
        self._make(size)
        self.rows = 0
        places = self._seated(before[0])
        self._texts[places], self._tokens[places], self._is_seen[places] = before[1:]

    def _seated(self, digests: Numbers) -> Places:
        """Linear probing, all rows at once: who finds its seat taken moves on by one."""
        last = np.uint64(self._rows.size - 1)
        places = (digests & last).astype(np.intp)
        moving = np.arange(digests.size)
        while moving.size:
            at, wanted = places[moving], digests[moving]
            is_free = self._rows[at] == 0
            self._rows[at[is_free]] = wanted[is_free]  # of several that want a seat one gets it
            is_seated = self._rows[at] == wanted
            self.rows += int(np.count_nonzero(is_free & is_seated))
            moving = moving[~is_seated]
            places[moving] = (places[moving] + 1) & int(last)
        return places
