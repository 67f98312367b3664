"""The nouns of the data plane: sparse values, a stored record, a batch of records to write."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from worker.pinecone_local.metadata import Metadata


class Metric(StrEnum):
    """How two dense vectors are compared."""

    COSINE = "cosine"
    DOTPRODUCT = "dotproduct"
    EUCLIDEAN = "euclidean"
    """The squared distance, lower is better."""


@immutable
class Sparse:
    """A sparse vector: distinct indices, and as many values (rounded to float32)."""

    indices: tuple[int, ...]
    values: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """The form that goes over the wire."""
        values = np.array(self.values, dtype=np.float32)
        return {"indices": list(self.indices), "values": values}


@immutable(eq=False)
class Record:
    """A stored record; ``values`` is None where it has no dense vector."""

    id: str
    values: NDArray[np.float32] | None
    sparse: Sparse | None
    metadata: Metadata | None


@immutable(eq=False)
class Batch:
    """Records to write, column by column; row i belongs to ``ids[i]``.

    ``values`` has shape (rows, dimension), ``dense`` says which rows of it count.
    """

    ids: Sequence[str]
    values: NDArray[np.float32]
    dense: NDArray[np.bool_]
    sparse: Sequence[Sparse | None]
    metadata: Sequence[Metadata | None]

    @property
    def size(self) -> int:
        """Bytes as Pinecone counts them: 4 a dense value, 8 a sparse one, ids, metadata.

        That is what the table of batch sizes in docs.pinecone.io/guides/index-data/upsert-data
        comes to.
        """
        dense: int = 4 * int(self.dense.sum()) * self.values.shape[1]
        sparse = 8 * sum(len(vector.indices) for vector in self.sparse if vector is not None)
        metadata = sum(len(orjson.dumps(item)) for item in self.metadata if item)
        return dense + sparse + metadata + sum(map(len, self.ids))


@immutable(eq=False)
class Patch:
    """What an update changes in one record; None and empty leave things as they are."""

    values: NDArray[np.float32] | None = None
    sparse: Sparse | None = None
    set_metadata: Mapping[str, Any] | None = None
    remove: Sequence[str] = ()
    drop_sparse: bool = False
    """Take the sparse vector away."""


@immutable(eq=False)
class Query:
    """What is searched for; at least one of the two vectors is there."""

    dense: NDArray[np.float32] | None
    sparse: Sparse | None


@immutable
class Hit:
    """A search result and its score as the metric defines it."""

    id: str
    score: np.float32
