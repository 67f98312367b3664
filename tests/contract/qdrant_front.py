"""What a Qdrant server is beyond its engine, whichever protocol it speaks; it can also fail."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from qdrant_client import models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Refused(Exception):  # noqa: N818 - an answer
    """The status and the message that a server answers with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Collection:
    """What a server says of a collection."""

    vectors: Any
    indexes: dict[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """What is behind a server; every method raises ``Refused`` for what is missing or wrong."""

    @property
    def collections(self) -> Mapping[str, Collection]: ...

    def named(self, name: str) -> Collection: ...

    def create(self, name: str, vectors: Any) -> None: ...

    def drop(self, name: str) -> None: ...

    def index(self, name: str, key: str, kind: str, *, is_tenant: bool = False) -> None: ...

    def upsert(
        self, name: str, points: Sequence[models.PointStruct], condition: models.Filter | None
    ) -> None: ...

    def delete(self, name: str, ids: Sequence[Any] | None, where: models.Filter | None) -> None: ...

    def retrieve(self, name: str, ids: Sequence[Any]) -> list[models.Record]: ...

    def scroll(
        self, name: str, where: models.Filter | None, limit: int, offset: Any
    ) -> tuple[list[models.Record], Any]: ...

    def query(
        self, name: str, vector: Any, using: str | None, where: models.Filter | None, limit: int
    ) -> list[models.ScoredPoint]: ...

    def facet(self, name: str, key: str, limit: int) -> list[models.FacetValueHit]: ...


@dataclass
class Fault:
    """What happens instead of an answer."""

    status: int = 503
    """0: the connection closes."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay_s: float = 0.0


@dataclass
class Front:
    """What both servers share."""

    engine: Engine
    url: str = ""
    grpc_port: int = 0
    version: str = "1.19.0"
    key: str | None = None
    faults: deque[Fault] = field(default_factory=deque)
    write_status: models.UpdateStatus = models.UpdateStatus.COMPLETED
    asked: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Row ids for which a whole request is refused, with a message that quotes them."""

    def upsert(
        self, name: str, points: list[models.PointStruct], condition: models.Filter | None
    ) -> None:
        for one in points:
            row = (one.payload or {}).get("_id")
            if row in self.refused:
                raise Refused(400, f"Format error in JSON body: invalid value `{row}` at line 1")
        self.engine.upsert(name, points, condition)

    def written(self) -> models.UpdateResult:
        return models.UpdateResult(operation_id=1, status=self.write_status)


def collection_info(engine: Engine, name: str) -> models.CollectionInfo:
    """As a server describes a collection."""
    held = engine.named(name)
    return models.CollectionInfo.model_validate(
        {
            "status": "green",
            "optimizer_status": "ok",
            "segments_count": 1,
            "config": {
                "params": {"vectors": held.vectors},
                "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
                "optimizer_config": {
                    "deleted_threshold": 0.2,
                    "vacuum_min_vector_number": 1000,
                    "default_segment_number": 0,
                    "flush_interval_sec": 5,
                },
                "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
            },
            "payload_schema": {
                key: {"data_type": kind, "points": 0} for key, kind in held.indexes.items()
            },
        }
    )
