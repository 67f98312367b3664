"""An inverted index over the sparse vectors of one namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.pinecone_local.records import Sparse


class SparseIndex:
    """Rows by sparse index, for scoring without looking at every row."""

    def __init__(self) -> None:
        self._vectors: dict[int, Sparse] = {}
        self._postings: dict[int, dict[int, float]] = {}

    def get(self, row: int) -> Sparse | None:
        """The sparse vector of a row."""
        return self._vectors.get(row)

    def put(self, row: int, vector: Sparse | None) -> None:
        """Replace the sparse vector of a row; None removes it."""
        self._drop(row)
        if vector is None:
            return
        self._vectors[row] = vector
        for index, value in zip(vector.indices, vector.values, strict=True):
            self._postings.setdefault(index, {})[row] = value

    def products(self, query: Sparse) -> dict[int, float]:
        """Dot product by row, for every row that shares an index with the query."""
        found: dict[int, float] = {}
        for index, weight in zip(query.indices, query.values, strict=True):
            for row, value in self._postings.get(index, {}).items():
                found[row] = found.get(row, 0.0) + weight * value
        return found

    def _drop(self, row: int) -> None:
        old = self._vectors.pop(row, None)
        for index in old.indices if old else ():
            rows = self._postings[index]
            del rows[row]
            if not rows:
                del self._postings[index]
