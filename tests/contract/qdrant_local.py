"""The local mode of Qdrant's client, which follows the server's rules in Python, as an engine."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qdrant_client import QdrantClient, models

from tests.contract.qdrant_front import Collection, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class LocalEngine:
    """One call at a time, as it breaks when several threads write."""

    def __init__(self) -> None:
        self._client = QdrantClient(":memory:")
        self._lock = threading.Lock()
        self.collections: dict[str, Collection] = {}

    def named(self, name: str) -> Collection:
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]

    def create(self, name: str, vectors: Any) -> None:
        with self._lock:
            self._client.create_collection(name, _not_normalised(vectors))
            self.collections[name] = Collection(vectors)

    def drop(self, name: str) -> None:
        with self._lock:
            self._client.delete_collection(name)
            del self.collections[name]

    def index(self, name: str, key: str, kind: str, *, is_tenant: bool = False) -> None:
        self.named(name).indexes[key] = kind  # it has none of its own

    def upsert(
        self, name: str, points: Sequence[models.PointStruct], condition: models.Filter | None
    ) -> None:
        with self._asking(name):
            self._client.upsert(name, list(points), update_filter=condition)

    def delete(self, name: str, ids: Sequence[Any] | None, where: models.Filter | None) -> None:
        with self._asking(name):
            if ids is not None:
                self._client.delete(name, models.PointIdsList(points=list(ids)))
            elif where is not None:
                self._client.delete(name, models.FilterSelector(filter=where))

    def retrieve(self, name: str, ids: Sequence[Any]) -> list[models.Record]:
        with self._asking(name):
            return self._client.retrieve(name, ids, with_payload=True, with_vectors=True)

    def scroll(
        self, name: str, where: models.Filter | None, limit: int, offset: Any
    ) -> tuple[list[models.Record], Any]:
        with self._asking(name):
            return self._client.scroll(name, where, limit, offset=offset, with_vectors=True)

    def query(
        self, name: str, vector: Any, using: str | None, where: models.Filter | None, limit: int
    ) -> list[models.ScoredPoint]:
        with self._asking(name):
            return self._client.query_points(
                name, vector, using=using, query_filter=where, limit=limit
            ).points

    def facet(self, name: str, key: str, limit: int) -> list[models.FacetValueHit]:
        with self._asking(name):
            return self._client.facet(name, key, limit=limit).hits

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        self.named(name)
        try:
            with self._lock, warnings.catch_warnings():
                yield
        except ValueError as error:  # whatever is wrong
            raise Refused(400, f"Wrong input: {error}") from error


def _not_normalised(vectors: Any) -> Any:
    """The local mode normalises what is normal already, and may change the last digit of it."""
    if isinstance(vectors, dict):
        return {name: _not_normalised(one) for name, one in vectors.items()}
    return models.VectorParams(size=vectors.size, distance=models.Distance.DOT)
