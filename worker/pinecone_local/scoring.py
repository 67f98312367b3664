"""Similarity of one query to many rows, and the choice of the best, with a stable order of ties.

Inside, higher is better for every metric; ``shown`` turns that into the score that Pinecone shows.
The choice is made twice: quickly in float32 over all rows, then exactly in float64 over the few
that may win, so that equal vectors get equal scores wherever their rows are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from worker.pinecone_local.records import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

_BLOCK_ROWS = 4096
_MARGIN = 1e-5


def quick(
    metric: Metric,
    rows: NDArray[np.float32],
    norms: NDArray[np.float32],
    query: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Similarity in float32; ``rows`` is (n, dimension), ``norms`` their n Euclidean lengths."""
    products: NDArray[np.float32] = rows @ query
    length = np.float32(np.linalg.norm(query))
    if metric is Metric.DOTPRODUCT:
        return products
    if metric is Metric.COSINE:
        return _divided(products, norms * length).astype(np.float32)
    return 2 * products - norms * norms - length * length


def exact(
    metric: Metric, rows: NDArray[np.float32], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Similarity in float64, block by block to bound memory."""
    blocks = range(0, len(rows), _BLOCK_ROWS)
    parts = [_exact(metric, rows[at : at + _BLOCK_ROWS], query) for at in blocks]
    return np.concatenate(parts) if parts else np.empty(0)


def contenders(similarity: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """Positions that may be among the best ``limit``, allowing for the error of float32."""
    if len(similarity) <= limit:
        return np.arange(len(similarity))
    bound = np.partition(similarity, len(similarity) - limit)[len(similarity) - limit]
    margin = _MARGIN * max(1.0, float(np.abs(similarity).max()))
    return np.flatnonzero(similarity >= bound - margin)


def shown(metric: Metric, similarity: NDArray[np.float64]) -> NDArray[np.float32]:
    """The score in Pinecone's terms: cosine, dot product, or the squared distance."""
    if metric is Metric.EUCLIDEAN:
        similarity = -similarity + 0.0
    elif metric is Metric.COSINE:
        similarity = np.clip(similarity, -1.0, 1.0)
    return similarity.astype(np.float32)


def _exact(
    metric: Metric, rows: NDArray[np.float32], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    wide, point = rows.astype(np.float64), query.astype(np.float64)
    if metric is Metric.EUCLIDEAN:
        squares: NDArray[np.float64] = ((wide - point) ** 2).sum(axis=1)
        return -squares
    products: NDArray[np.float64] = wide @ point
    if metric is Metric.DOTPRODUCT:
        return products
    lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(point)
    return _divided(products, lengths).astype(np.float64)


def _divided(products: Floats, lengths: Floats) -> Floats:
    """Divide, and call a vector without length unlike everything (0)."""
    result: Floats = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return result
