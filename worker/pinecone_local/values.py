"""Dense and sparse vectors as they come in JSON, checked and turned into arrays.

Rules and wording follow Pinecone's 2026-07 API description and its observed error messages.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from worker.pinecone_local.metadata import is_number
from worker.pinecone_local.records import Sparse
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NONZERO_MIN = 1e-8
SPARSE_MAX = 2048
INDEX_MAX = 2**32 - 1


def dense_rows(lists: Sequence[object], dimension: int, ids: Sequence[str]) -> NDArray[np.float32]:
    """Return (rows, dimension) float32; the ids name the culprit if one list is not legal."""
    rows = _converted(lists)
    if rows is None or not _acceptable(rows, (len(lists), dimension)):
        for record_id, values in zip(ids, lists, strict=True):
            dense_row(values, dimension)
            _refuse_zeros(values, record_id)
    if rows is None or rows.shape != (len(lists), dimension):
        raise invalid("Vector values must be lists of numbers")
    return rows


def stored_row(values: object, dimension: int, record_id: str) -> NDArray[np.float32]:
    """Return one vector that is to be stored, which may not be all zeros."""
    row: NDArray[np.float32] = dense_rows([values], dimension, [record_id])[0]
    return row


def dense_row(values: object, dimension: int) -> NDArray[np.float32]:
    """Return one vector of the index's dimension; all its values are finite numbers."""
    if not isinstance(values, list):
        raise invalid("Vector values must be a list of numbers")
    if len(values) != dimension:
        raise invalid(
            f"Vector dimension {len(values)} does not match the dimension of the index {dimension}"
        )
    row = _converted([values])
    if row is None or row.shape != (1, dimension):
        raise invalid("Vector values must be a list of numbers")
    if not np.isfinite(row).all():
        at = int(np.flatnonzero(~np.isfinite(row[0]))[0])
        raise invalid(f"Vector values must be finite numbers, got {_named(values[at])} at {at}")
    checked: NDArray[np.float32] = row[0]
    return checked


def sparse_vector(value: object) -> Sparse:
    """Return a sparse vector: 1 to 2048 distinct unsigned 32-bit indices and as many numbers."""
    if not isinstance(value, dict):
        raise invalid("Sparse values must be an object with 'indices' and 'values'")
    indices, values = value.get("indices"), value.get("values")
    if not isinstance(indices, list) or not isinstance(values, list) or not indices:
        raise invalid("Sparse vector must contain at least one value")
    if len(indices) != len(values):
        raise invalid(
            "Sparse vector must have the same number of indices and values, "
            f"got {len(indices)} indices and {len(values)} values"
        )
    if len(indices) > SPARSE_MAX:
        raise invalid(f"Sparse vector size {len(indices)} exceeds the maximum of {SPARSE_MAX}")
    _check_indices(indices)
    if not all(is_number(item) and math.isfinite(item) for item in values):
        raise invalid("Sparse vector values must be finite numbers")
    rounded = np.array(values, dtype=np.float32)
    return Sparse(tuple(indices), tuple(rounded.tolist()))


def _check_indices(indices: list[Any]) -> None:
    if not all(type(item) is int and 0 <= item <= INDEX_MAX for item in indices):
        raise invalid(f"Sparse vector indices must be integers between 0 and {INDEX_MAX}")
    if len(set(indices)) != len(indices):
        raise invalid("Sparse vector indices must be unique")


def _converted(lists: Sequence[object]) -> NDArray[np.float32] | None:
    """Convert as a whole; texts and booleans, which numpy takes for numbers, are none."""
    try:
        wide = np.array(lists)
        if wide.dtype.kind in "bU":
            return None
        with np.errstate(over="ignore"):
            return wide.astype(np.float32)
    except (TypeError, ValueError):
        return None


def _acceptable(rows: NDArray[np.float32], shape: tuple[int, int]) -> bool:
    if rows.shape != shape or not np.isfinite(rows).all():
        return False
    return bool((np.abs(rows).max(axis=1, initial=0.0) >= NONZERO_MIN).all())


def _refuse_zeros(values: object, record_id: str) -> None:
    row = _converted([values])
    if row is not None and np.abs(row).max(initial=0.0) < NONZERO_MIN:
        raise invalid(
            "Dense vectors must contain at least one non-zero value. "
            f"Vector ID '{record_id}' contains only zeros"
        )


def _named(value: object) -> str:
    return "null" if value is None else str(value)
