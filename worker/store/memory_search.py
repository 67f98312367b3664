"""Search among points in memory: cosine similarity by numpy, filters in Pinecone's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from worker.store.filters import matches
from worker.store.port import Match

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.model import Point, Vector


def nearest(
    points: Sequence[Point], vector: Vector, k: int, where: Mapping[str, object] | None
) -> Sequence[Match]:
    """The k points most like a vector of those that match, best first."""
    found = [point for point in points if where is None or matches(where, point.metadata)]
    if not found:
        return []
    scores = _cosine(np.stack([point.vector for point in found]), vector)
    best = np.argsort(-scores, kind="stable")[:k]
    return [Match(found[i].id, float(scores[i]), found[i].metadata) for i in best]


def _cosine(vectors: Vector, vector: Vector) -> Vector:
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    scores: Vector = (vectors @ vector) / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scores
