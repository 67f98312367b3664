"""What an index holds, read from its schema: which fields are vectors, and how they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.immutable import immutable
from worker.pinecone_local.records import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

DENSE_FIELD = "_values"
SPARSE_FIELD = "_sparse_values"
"""The two reserved names; a schema of these alone is served by the vectors interface."""


@immutable
class Shape:
    """The vector fields of an index; a field that is not there is the empty string."""

    dense_field: str = ""
    sparse_field: str = ""
    text_fields: frozenset[str] = frozenset()
    dimension: int = 0
    metric: Metric = Metric.DOTPRODUCT
    documents: bool = False
    """Whether it is served by the documents interface rather than by the vectors interface."""

    @classmethod
    def of(cls, fields: Mapping[str, Mapping[str, Any]]) -> Shape:
        """Read a validated schema."""
        by_type: dict[str, list[str]] = {"dense_vector": [], "sparse_vector": [], "string": []}
        for name, field in fields.items():
            by_type[field["type"]].append(name)
        dense = next(iter(by_type["dense_vector"]), "")
        return cls(
            dense_field=dense,
            sparse_field=next(iter(by_type["sparse_vector"]), ""),
            text_fields=frozenset(by_type["string"]),
            dimension=fields[dense]["dimension"] if dense else 0,
            metric=Metric(fields[dense]["metric"]) if dense else Metric.DOTPRODUCT,
            documents=not set(fields) <= {DENSE_FIELD, SPARSE_FIELD},
        )

    @property
    def data_fields(self) -> frozenset[str]:
        """The fields that are searched; all others are metadata."""
        return frozenset({self.dense_field, self.sparse_field, *self.text_fields} - {""})

    @property
    def takes_sparse(self) -> bool:
        """Whether records may carry a sparse vector: sparse indexes, and dotproduct ones."""
        if self.documents:
            return bool(self.sparse_field)
        return not self.dense_field or self.metric is Metric.DOTPRODUCT

    @property
    def vector_type(self) -> str:
        """``dense`` or ``sparse``, as statistics and older API versions say it."""
        return "sparse" if self.sparse_field and not self.dense_field else "dense"
