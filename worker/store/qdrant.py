"""Qdrant as a vector store, by the vendor's client over REST or gRPC.

One collection holds all namespaces, as tenants in the payload. Each write carries a condition
that the server holds against what is stored, so it refuses what is older; see
docs/stores.md.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from qdrant_client import models

from worker.clock import Clock, SystemClock
from worker.errors import ConfigError, FatalError, RecordError
from worker.store import qdrant_collection as collection
from worker.store import qdrant_grpc, qdrant_rest
from worker.store.finite import not_finite
from worker.store.grpc_channels import is_silence
from worker.store.point_uuid import is_text, point_uuid
from worker.store.port import Capabilities, Match
from worker.store.qdrant_config import QdrantConfig
from worker.store.qdrant_connection import QdrantConnection
from worker.store.qdrant_errors import (
    FAILURES,
    blanked,
    is_about_dimensions,
    is_refusal,
    translated,
)
from worker.store.qdrant_filters import filter_of
from worker.store.qdrant_points import (
    FETCH_IDS,
    ID,
    NAMESPACE,
    forgotten,
    graves_of,
    in_namespace,
    points_of,
    prepared,
    requests,
    tombstone,
)
from worker.store.qdrant_upsert import expect_done, upsert
from worker.store.stamp import users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.config.section import Section
    from worker.model import Point, Position, Vector
    from worker.store.port import Deletion
    from worker.store.qdrant_points import Prepared

log = logging.getLogger(__name__)

_READERS = {"rest": qdrant_rest.fetch, "grpc": qdrant_grpc.fetch}
_WRITERS = {"rest": qdrant_rest.upsert, "grpc": qdrant_grpc.upsert}
_PAGE = 256
"""Points in a page of a scan."""
_MOST_NAMESPACES = 10_000
_FORGETTING_S = 3600.0
"""How often old deletions are forgotten, at most."""


class QdrantStore:
    """A Qdrant collection. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = QdrantConfig

    def __init__(self, config: QdrantConfig, *, clock: Clock | None = None) -> None:
        self._config = config
        self._name = config.index
        self._connection = QdrantConnection(config)
        self._clock = clock or SystemClock()
        self._forget_at_s = self._clock.now_s()
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """Conditional writes; visible when the server has answered, unless the user knows more."""
        return Capabilities(
            guarded=True,
            settle_s=self._config.settle_ms / 1000,
            write_timeout_s=self._config.timeout_s,
        )

    @property
    def write_log(self) -> None:
        """It does not say how much of it is shown."""

    @property
    def transactions(self) -> None:
        """It has none."""

    def create(self, dimensions: int) -> bool:
        """The collection, and the payload indexes that it lacks."""
        config = self._config
        config.expect(dimensions)
        if not config.create:
            return False
        with self._calling("making the collection"):
            client = self._connection.client()
            is_made = collection.create(client, config, dimensions)
            if is_made:
                log.info("Qdrant collection %r was made.", self._name)
            collection.create_indexes(client, config)
        return is_made

    def check(self, dimensions: int) -> None:
        """Look at server and collection as they are now."""
        with self._config.expecting(dimensions), self._calling("looking for the collection"):
            version = collection.expect_version(self._connection.client())
            shape = self._connection.check(dimensions)
        log.info(
            "Qdrant %s, collection %r: %d dimensions, %s.",
            version,
            self._name,
            shape.dimensions,
            shape.distance.value,
        )

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """Points by id; those that were deleted have no namespace any more."""
        uuids = [point_uuid(namespace, one) for one in dict.fromkeys(ids) if is_text(one)]
        found: dict[str, Point] = {}
        for start in range(0, len(uuids), FETCH_IDS):
            with self._calling(f"fetch from {namespace}"):
                points = self._read(uuids[start : start + FETCH_IDS])
            found.update((point.id, point) for point in points)
        return found

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write points; when a request is refused, the points at fault are found by halving."""
        _expect_name(namespace)
        refused: dict[str, RecordError] = {}
        with self._calling(f"upsert to {namespace}"):
            self._connection.expect(points)
            work = upsert(self._write, self._name)
            for request in requests(self._sound(namespace, points, refused)):
                work.send(request)
        return refused | work.refused()

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Leave a memory in the place of each point; where no Position compares, leave nothing."""
        now_ms = int(time.time() * 1000)
        possible = [one for one in deletions if is_text(one.id)]
        remembered = [
            tombstone(namespace, one, now_ms) for one in possible if one.position.topic_id
        ]
        others = [point_uuid(namespace, one.id) for one in possible if not one.position.topic_id]
        with self._calling(f"deletion in {namespace}"):
            work = upsert(self._write, self._name)
            for request in requests(remembered):
                work.send(request)
            if others:
                self._erase(models.PointIdsList(points=others))
            self._forget(now_ms)
        return work.refused()

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        """What deletions have left behind."""
        uuids = [point_uuid(namespace, one) for one in dict.fromkeys(ids) if is_text(one)]
        with self._calling(f"deletions in {namespace}"):
            found = self._connection.client().retrieve(self._name, uuids, with_payload=True)
        return dict(graves_of(found))

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """The nearest points; ``where`` as ``worker.store.qdrant_filters`` says."""
        others = [] if where is None else [filter_of(where)]
        with self._calling(f"query of {namespace}"), _filter_is_the_callers(where):
            answer = self._connection.client().query_points(
                self._name,
                query=vector.tolist(),
                using=self._config.vector or None,
                query_filter=in_namespace(namespace, *others),
                limit=k,
                with_payload=True,
            )
            sign = self._connection.shape().sign
        return [
            Match(str((hit.payload or {})[ID]), sign * hit.score, users(hit.payload or {}))
            for hit in answer.points
        ]

    def scan(self, namespace: str) -> Iterator[Point]:
        """Scroll through the namespace."""
        offset: Any = None
        while True:
            with self._calling(f"scan of {namespace}"):
                records, offset = self._connection.client().scroll(
                    self._name,
                    scroll_filter=in_namespace(namespace),
                    limit=_PAGE,
                    offset=offset,
                    with_payload=True,
                    with_vectors=True,
                )
            yield from points_of(records, self._config.vector)
            if offset is None:
                return

    def namespaces(self) -> Sequence[str]:
        """The values of our tenant field."""
        with self._calling("listing namespaces"):
            answer = self._connection.client().facet(
                self._name, NAMESPACE, limit=_MOST_NAMESPACES, exact=True
            )
            return [str(hit.value) for hit in answer.hits if hit.count]

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        self._connection.close()

    # Inside --------------------------------------------------------------------------------

    def _read(self, uuids: Sequence[str]) -> Sequence[Point]:
        return _READERS[self._config.transport](self._connection.client(), self._config, uuids)

    def _write(self, points: Sequence[Prepared]) -> models.UpdateStatus:
        return _WRITERS[self._config.transport](self._connection.client(), self._config, points)

    def _sound(
        self, namespace: str, points: Sequence[Point], refused: dict[str, RecordError]
    ) -> Iterator[Prepared]:
        """Points as Qdrant takes them, one by one, as a batch of them has some megabytes."""
        infinite = not_finite(points)
        for point in points:
            try:
                yield prepared(namespace, point, infinite)
            except RecordError as error:
                refused[point.id] = error

    def _forget(self, now_ms: int) -> None:
        """Erase what deletions have left behind long ago, every now and then."""
        with self._lock:
            now_s = self._clock.now_s()
            if now_s < self._forget_at_s:
                return
            self._forget_at_s = now_s + _FORGETTING_S
        before_ms = now_ms - self._config.tombstone_ttl_ms
        self._erase(models.FilterSelector(filter=forgotten(before_ms)))

    def _erase(self, what: models.PointIdsList | models.FilterSelector) -> None:
        expect_done(self._connection.client().delete(self._name, what, wait=True).status)

    @contextmanager
    def _calling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            if is_silence(error):
                self._connection.renew()
            # not chained: what the client says quotes answers, and so perhaps rows
            raise translated(error, doing) from None


@contextmanager
def _filter_is_the_callers(where: Mapping[str, object] | None) -> Iterator[None]:
    """A query with a filter that Qdrant refuses is refused for its filter."""
    try:
        yield
    except FAILURES as error:
        if where is None or not is_refusal(error) or is_about_dimensions(error):
            raise
        raise ConfigError(f"Qdrant refuses the filter: {blanked(error)}") from None


def _expect_name(namespace: str) -> None:
    if not is_text(f"_{namespace}"):
        raise FatalError("store.namespace holds half a character that UTF-8 cannot write")
