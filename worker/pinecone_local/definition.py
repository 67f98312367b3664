"""What the control plane knows of an index, and its two JSON forms: by schema, and classic."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from worker.immutable import immutable
from worker.pinecone_local.shape import DENSE_FIELD, SPARSE_FIELD, Shape
from worker.pinecone_local.wire import READ_CAPACITY_VERSION, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.pinecone_local.wire import ApiVersion

STATUS = {"ready": True, "state": "Ready"}
READ_CAPACITY = {"mode": "OnDemand", "status": {"state": "Ready"}}


@immutable
class Definition:
    """An index as it was created and configured."""

    name: str
    fields: Mapping[str, Mapping[str, Any]]
    """The schema, validated."""
    deployment: Mapping[str, Any]
    deletion_protection: str = "disabled"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """What the index holds."""
        return Shape.of(self.fields)

    def described(self, version: ApiVersion, host: str) -> dict[str, Any]:
        """The description that a client of this version understands."""
        common = {
            "name": self.name,
            "host": host,
            "status": STATUS,
            "deletion_protection": self.deletion_protection,
        }
        if version.since(SCHEMA_VERSION):
            return {**common, **self._by_schema()}
        return {**common, **self._classic(version)}

    def _by_schema(self) -> dict[str, Any]:
        fields = dict(self.fields)
        if DENSE_FIELD in fields:
            # "Dense vectors-API indexes always report both": 2026-07 API description, IndexSchema.
            fields.setdefault(SPARSE_FIELD, {"type": "sparse_vector", "description": None})
        return {
            "schema": {"fields": fields},
            "deployment": self.deployment,
            "read_capacity": READ_CAPACITY,
            "tags": dict(self.tags) or None,
        }

    def _classic(self, version: ApiVersion) -> dict[str, Any]:
        shape = self.shape
        classic: dict[str, Any] = {
            "metric": shape.metric.value,
            "vector_type": shape.vector_type,
            "spec": self._spec(version),
        }
        if shape.dense_field:
            classic["dimension"] = shape.dimension
        if self.tags:
            classic["tags"] = self.tags
        return classic

    def _spec(self, version: ApiVersion) -> dict[str, Any]:
        inner = {key: value for key, value in self.deployment.items() if key != "deployment_type"}
        if version.since(READ_CAPACITY_VERSION):
            inner["read_capacity"] = READ_CAPACITY
        kind = "serverless" if self.deployment["deployment_type"] == "managed" else "byoc"
        return {kind: inner}
