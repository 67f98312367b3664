"""Qdrant's own engine in this process (``qdrant-edge-py``), asked in the client's words.

What a server adds to it is in ``qdrant_rest`` and ``qdrant_grpc``. The engine applies the condition
of an upsert when it carries the upsert out, as a server does for each shard.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import qdrant_edge as edge
from qdrant_client import models

from tests.contract.qdrant_front import Collection, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(kw_only=True)
class Shard(Collection):
    """A collection and where it is kept."""

    shard: edge.EdgeShard
    folder: Path


class EdgeEngine:
    """Collections in a folder; one call at a time."""

    has_log: ClassVar[bool] = False
    """Whether what is written survives a crash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._lock = threading.Lock()
        self.collections: dict[str, Shard] = {}

    def create(self, name: str, vectors: Any) -> None:
        with self._lock:
            if name in self.collections:
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            self._made += 1
            folder = self._folder / str(self._made)
            shard = edge.EdgeShard.create(
                str(folder),
                edge.EdgeConfig(vectors=_params(vectors), wal_enabled=self.has_log),
            )
            self.collections[name] = Shard(vectors=vectors, shard=shard, folder=folder)

    def drop(self, name: str) -> None:
        with self._lock:
            self.collections.pop(name).shard.close()

    def named(self, name: str) -> Shard:
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]

    def index(self, name: str, key: str, kind: str, *, is_tenant: bool = False) -> None:
        schema: Any = getattr(edge.PayloadSchemaType, kind.capitalize())
        if is_tenant:
            schema = edge.KeywordIndexParams(is_tenant=True)
        self.update(name, edge.UpdateOperation.create_field_index(key, schema))
        self.named(name).indexes[key] = kind

    def upsert(
        self, name: str, points: Sequence[models.PointStruct], condition: models.Filter | None
    ) -> None:
        self.update(name, upsert_of(points, condition))

    def delete(self, name: str, ids: Sequence[Any] | None, where: models.Filter | None) -> None:
        if ids is not None:
            operation = edge.UpdateOperation.delete_points([str(one) for one in ids])
        else:
            assert where is not None
            operation = edge.UpdateOperation.delete_points_by_filter(_filter(where))
        self.update(name, operation)

    def retrieve(self, name: str, ids: Sequence[Any]) -> list[models.Record]:
        with self._lock:
            shard = self.named(name).shard
            found = shard.retrieve([str(one) for one in ids], with_payload=True, with_vector=True)
        return [_record(one) for one in found]

    def scroll(
        self, name: str, where: models.Filter | None, limit: int, offset: Any
    ) -> tuple[list[models.Record], Any]:
        request = edge.ScrollRequest(
            offset=None if offset is None else str(offset),
            limit=limit,
            filter=None if where is None else _filter(where),
            with_payload=True,
            with_vector=True,
        )
        with self._lock:
            records, following = self.named(name).shard.scroll(request)
        return [_record(one) for one in records], None if following is None else str(following)

    def query(
        self, name: str, vector: Any, using: str | None, where: models.Filter | None, limit: int
    ) -> list[models.ScoredPoint]:
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(vector, using=using),
            filter=None if where is None else _filter(where),
            with_payload=True,
        )
        with self._lock:
            hits = self.named(name).shard.query(request)
        return [
            models.ScoredPoint(id=str(hit.id), version=0, score=hit.score, payload=hit.payload)
            for hit in hits
        ]

    def facet(self, name: str, key: str, limit: int) -> list[models.FacetValueHit]:
        with self._lock:
            found = self.named(name).shard.facet(edge.FacetRequest(key, limit=limit, exact=True))
        return [models.FacetValueHit(value=hit.value, count=hit.count) for hit in found.hits]

    def update(self, name: str, operation: edge.UpdateOperation) -> None:
        with self._lock:
            shard = self.named(name).shard
            try:
                shard.update(operation)
            except Exception as error:
                raise Refused(400, f"Wrong input: {error}") from error


class LoggingEngine(EdgeEngine):
    """Collections that are there again after a crash, as a server's are."""

    has_log: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for described in sorted(folder.glob("*.json")):
            held = json.loads(described.read_text())
            vectors = models.CreateCollection(vectors=held["vectors"]).vectors
            kept = folder / described.stem
            shard = edge.EdgeShard.load(str(kept))
            self._made = max(self._made, int(described.stem))
            self.collections[held["name"]] = Shard(
                vectors=vectors, indexes=held["indexes"], shard=shard, folder=kept
            )

    def create(self, name: str, vectors: Any) -> None:
        super().create(name, vectors)
        self._describe(name)

    def drop(self, name: str) -> None:
        self.named(name).folder.with_suffix(".json").unlink()
        super().drop(name)

    def index(self, name: str, key: str, kind: str, *, is_tenant: bool = False) -> None:
        super().index(name, key, kind, is_tenant=is_tenant)
        self._describe(name)

    def _describe(self, name: str) -> None:
        held = self.named(name)
        wanted = models.CreateCollection(vectors=held.vectors).model_dump(
            mode="json", exclude_unset=True
        )
        text = json.dumps({"name": name, "indexes": held.indexes, **wanted})
        held.folder.with_suffix(".json").write_text(text)


def upsert_of(
    points: Sequence[models.PointStruct], condition: models.Filter | None
) -> edge.UpdateOperation:
    """In the engine's own words."""
    made = [edge.Point(str(one.id), _vector(one), one.payload or {}) for one in points]
    wanted = None if condition is None else _filter(condition)
    return edge.UpdateOperation.upsert_points(made, wanted)


def _params(vectors: Any) -> Any:
    if isinstance(vectors, dict):
        return {name: _params(one) for name, one in vectors.items()}
    return edge.EdgeVectorParams(
        size=vectors.size, distance=getattr(edge.Distance, vectors.distance.value)
    )


def _vector(point: models.PointStruct) -> Any:
    return point.vector


def _record(held: edge.Record) -> models.Record:
    return models.Record(id=str(held.id), payload=held.payload, vector=held.vector)


def _filter(given: models.Filter) -> edge.Filter:
    return edge.Filter(
        must=_conditions(given.must),
        should=_conditions(given.should),
        must_not=_conditions(given.must_not),
    )


def _conditions(given: Any) -> list[Any] | None:
    if given is None:
        return None
    return [_condition(one) for one in (given if isinstance(given, list) else [given])] or None


def _condition(given: models.Condition) -> Any:
    if isinstance(given, models.Filter):
        return _filter(given)
    if isinstance(given, models.HasIdCondition):
        return edge.HasIdCondition({str(one) for one in given.has_id})
    if isinstance(given, models.IsEmptyCondition):
        return edge.IsEmptyCondition(given.is_empty.key)
    assert isinstance(given, models.FieldCondition), given
    if given.match is not None:
        assert isinstance(given.match, models.MatchValue), given
        return edge.FieldCondition(given.key, match=edge.MatchValue(given.match.value))
    assert isinstance(given.range, models.Range), given
    limits = {name: value for name, value in given.range if value is not None}
    return edge.FieldCondition(given.key, range=edge.RangeFloat(**limits))
