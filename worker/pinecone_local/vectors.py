"""One namespace: ids, a float32 matrix, sparse vectors and metadata, all by row.

The matrix doubles when it is full; rows of deleted records are used again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from worker.pinecone_local.records import Batch, Hit, Metric, Patch, Query, Record, Sparse
from worker.pinecone_local.scoring import contenders, exact, quick, shown
from worker.pinecone_local.sparse import SparseIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from worker.pinecone_local.filters import Predicate
    from worker.pinecone_local.metadata import Metadata

_FIRST_ROWS = 64
_Scalar = TypeVar("_Scalar", bound=np.generic)


class Namespace:
    """The records of one namespace; ``dimension`` is 0 where there are no dense vectors."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._ids: list[str] = []
        self._metadata: list[Metadata | None] = []
        self._matrix = np.zeros((_FIRST_ROWS, dimension), dtype=np.float32)
        self._norms = np.zeros(_FIRST_ROWS, dtype=np.float32)
        self._live = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self._dense = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self._sparse = SparseIndex()
        self._sorted: list[str] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._rows

    @property
    def size_bytes(self) -> int:
        """About how much the records take: their dense values and ids."""
        return len(self) * self._dimension * 4 + sum(map(len, self._rows))

    def put(self, batch: Batch) -> None:
        """Write whole records; of two with the same id the later one stays."""
        rows = [self._row_for(record_id) for record_id in batch.ids]
        self._matrix[rows] = batch.values
        self._norms[rows] = np.linalg.norm(batch.values, axis=1)
        self._dense[rows] = batch.dense
        for row, sparse, metadata in zip(rows, batch.sparse, batch.metadata, strict=True):
            self._sparse.put(row, sparse)
            self._metadata[row] = metadata

    def patch(self, record_id: str, patch: Patch) -> None:
        """Change parts of one record; an absent id is left absent."""
        row = self._rows.get(record_id)
        if row is None:
            return
        if patch.values is not None:
            self._matrix[row] = patch.values
            self._norms[row] = np.linalg.norm(patch.values)
            self._dense[row] = True
        if patch.sparse is not None or patch.drop_sparse:
            self._sparse.put(row, patch.sparse)
        if patch.set_metadata or patch.remove:
            merged = {**(self._metadata[row] or {}), **(patch.set_metadata or {})}
            kept = {key: value for key, value in merged.items() if key not in patch.remove}
            self._metadata[row] = kept

    def remove(self, record_ids: Iterable[str]) -> None:
        """Delete records; absent ids are ignored."""
        for record_id in record_ids:
            row = self._rows.pop(record_id, None)
            if row is None:
                continue
            self._live[row] = self._dense[row] = False
            self._sparse.put(row, None)
            self._metadata[row] = None
            self._free.append(row)
            self._sorted = None

    def get(self, record_id: str) -> Record | None:
        """One record; its values are a copy."""
        row = self._rows.get(record_id)
        if row is None:
            return None
        values = self._matrix[row].copy() if self._dense[row] else None
        return Record(record_id, values, self._sparse.get(row), self._metadata[row])

    def ids(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> Sequence[str]:
        """Ids in bitwise order that begin with the prefix and come after the given one."""
        if self._sorted is None:
            self._sorted = sorted(self._rows)
        start = max(bisect_left(self._sorted, prefix), bisect_right(self._sorted, after))
        end = len(self._sorted)
        if prefix:
            end = bisect_left(self._sorted, prefix + "\x80")
        return self._sorted[start : end if limit is None else min(end, start + limit)]

    def matching(self, keep: Predicate, *, after: str = "") -> Sequence[str]:
        """Ids in bitwise order, after the given one, whose metadata passes."""
        ids = self.ids(after=after)
        return [item for item in ids if keep(self._metadata[self._rows[item]] or {})]

    def search(
        self, query: Query, metric: Metric, limit: int, keep: Predicate | None = None
    ) -> list[Hit]:
        """The most similar records, best first, ties in bitwise order of the ids."""
        rows = self._candidates(query, keep)
        sparse = self._sparse_part(query.sparse, rows)
        best = contenders(self._quick(query, metric, rows) + sparse, limit)
        rows, sparse = rows[best], sparse[best]
        similarity = self._exact(query, metric, rows) + sparse
        scores = shown(metric if query.dense is not None else Metric.DOTPRODUCT, similarity)
        sign = 1 if metric is Metric.EUCLIDEAN and query.dense is not None else -1
        hits = [Hit(self._ids[row], score) for row, score in zip(rows, scores, strict=True)]
        hits.sort(key=lambda hit: (sign * float(hit.score), hit.id))
        return hits[:limit]

    def _candidates(self, query: Query, keep: Predicate | None) -> NDArray[np.intp]:
        used = len(self._ids)
        rows = np.flatnonzero((self._dense if query.dense is not None else self._live)[:used])
        if query.dense is None and query.sparse is not None:
            rows = np.array(sorted(self._sparse.products(query.sparse)), dtype=np.intp)
        if keep is None:
            return rows
        passed = [row for row in rows.tolist() if keep(self._metadata[row] or {})]
        return np.array(passed, dtype=np.intp)

    def _sparse_part(self, query: Sparse | None, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        part = np.zeros(len(self._ids), dtype=np.float32)
        for row, product in (self._sparse.products(query) if query else {}).items():
            part[row] = product
        return part[rows]

    def _quick(self, query: Query, metric: Metric, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        if query.dense is None:
            return np.zeros(len(rows), dtype=np.float32)
        used = len(self._ids)
        if 2 * len(rows) < used:
            return quick(metric, self._matrix[rows], self._norms[rows], query.dense)
        return quick(metric, self._matrix[:used], self._norms[:used], query.dense)[rows]

    def _exact(self, query: Query, metric: Metric, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        if query.dense is None:
            return np.zeros(len(rows))
        return exact(metric, self._matrix[rows], query.dense)

    def _row_for(self, record_id: str) -> int:
        row = self._rows.get(record_id)
        if row is not None:
            return row
        row = self._free.pop() if self._free else self._append()
        self._rows[record_id] = row
        self._ids[row] = record_id
        self._live[row] = True
        self._sorted = None
        return row

    def _append(self) -> int:
        row = len(self._ids)
        if row == len(self._live):
            self._matrix = _doubled(self._matrix)
            self._norms = _doubled(self._norms)
            self._live = _doubled(self._live)
            self._dense = _doubled(self._dense)
        self._ids.append("")
        self._metadata.append(None)
        return row


def _doubled(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    grown = np.zeros((2 * len(array), *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    return grown
