"""Weaviate as a vector store: collections over REST, points over gRPC.

The messages are those of the vendor's client. Its calls are not used, as they wait and try again by
themselves for minutes, whoever wants to stop. Weaviate has no conditional writes, as the
capabilities say.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from worker.errors import ConfigError, FatalError, RecordError, RetriableError
from worker.store.finite import not_finite
from worker.store.point_uuid import is_text, point_uuid
from worker.store.port import ENOUGH, Capabilities, Match
from worker.store.stamp import users
from worker.store.weaviate_config import WeaviateConfig
from worker.store.weaviate_errors import (
    FAILURES,
    blanked,
    is_about_collection,
    is_about_dimensions,
    is_about_tenant,
    is_left_over,
    is_of_object,
    is_unknown,
    record_error,
    sentence,
    translated,
)
from worker.store.weaviate_filters import filter_of
from worker.store.weaviate_points import (
    FETCH_IDS,
    ID,
    Place,
    newest_of,
    points_of,
    prepared,
    request_of,
    requests,
    stored_of,
)
from worker.store.weaviate_protocol import Protocol
from worker.store.weaviate_schema import Schema
from worker.store.weaviate_shape import Shape
from worker.store.weaviate_tenants import namespace_of, tenant_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from weaviate.proto.v1 import search_get_pb2

    from worker.config.section import Section
    from worker.model import Point, Position, Vector
    from worker.store.port import Deletion
    from worker.store.weaviate_points import Prepared

log = logging.getLogger(__name__)

_PAGE = 256
"""Points in a page of a scan."""


class WeaviateStore:
    """A Weaviate collection with tenants. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = WeaviateConfig

    def __init__(self, config: WeaviateConfig) -> None:
        self._config = config
        self._name = config.index
        self._schema = Schema(config)
        self._protocol = Protocol(config)
        self._shape = Shape(config, self._schema, self._protocol)
        self._lock = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """No conditional writes; visible after ``store.settle.ms``."""
        return Capabilities(
            guarded=False,
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
        """The collection, or the properties that it lacks."""
        self._config.expect(dimensions)
        if not self._config.create:
            return False
        with self._calling("making the collection"):
            held = self._schema.collection()
            if held is not None:
                self._schema.add_properties(held)
                return False
            is_made = self._schema.create(dimensions)
        if is_made:
            log.info("Weaviate collection %r was made.", self._name)
        return is_made

    def check(self, dimensions: int) -> None:
        """Look at the collection as it is now."""
        with self._config.expecting(dimensions), self._calling("looking for the collection"):
            version = self._schema.version()
            held = self._shape.check(dimensions)
        log.info(
            "Weaviate %s, collection %r: %d dimensions, %s.",
            version,
            self._name,
            dimensions,
            held.distance,
        )

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """Points by id."""
        uuids = [point_uuid(namespace, one) for one in dict.fromkeys(ids) if is_text(one)]
        found: dict[str, Point] = {}
        for start in range(0, len(uuids), FETCH_IDS):
            with self._calling(f"fetch from {namespace}"), _missing_tenant_is_empty():
                hits = self._protocol.fetch(tenant_of(namespace), uuids[start : start + FETCH_IDS])
                found.update(newest_of(hits))
        return found

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write points; the answer says which of them were refused."""
        place = Place(self._name, tenant_of(namespace), namespace)
        refused: dict[str, RecordError] = {}
        with self._calling("looking for the collection"):
            self._shape.expect(points)
        for request in requests(self._sound(place, points, refused)):
            with self._calling(f"upsert to {namespace}"):
                said = self._protocol.upsert(request_of(place, request))
            refused.update(self._refusals(namespace, request, said))
        return refused

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Delete by id. Weaviate cannot compare Positions."""
        uuids = [point_uuid(namespace, one.id) for one in deletions if is_text(one.id)]
        for start in range(0, len(uuids), FETCH_IDS):
            with self._calling(f"deletion in {namespace}"), _missing_tenant_is_empty():
                failed = self._protocol.delete(
                    tenant_of(namespace), uuids[start : start + FETCH_IDS]
                )
                if failed:
                    raise RetriableError(f"Weaviate has not deleted {failed} points of {namespace}")
        return {}

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:  # noqa: ARG002
        """None: deletions leave nothing behind."""
        return {}

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """The nearest points; ``where`` as ``worker.store.weaviate_filters`` says."""
        wanted = None if where is None else filter_of(where, self._config.typed)
        with self._calling(f"query of {namespace}"), _missing_tenant_is_empty():
            with _filter_is_the_callers(where):
                hits = self._protocol.nearest(tenant_of(namespace), vector, k, wanted)
            near = self._shape.score_of_equals()
            return [_match(hit, stored, near) for hit in hits if (stored := stored_of(hit))]
        return []

    def scan(self, namespace: str) -> Iterator[Point]:
        """Page after page, in the order of the UUIDs."""
        after: str | None = ""
        while after is not None:
            begin, after = after, None
            page: list[Point] = []
            with self._calling(f"scan of {namespace}"), _missing_tenant_is_empty():
                hits = self._protocol.page(tenant_of(namespace), begin, _PAGE)
                page = list(points_of(hits))
                after = hits[-1].metadata.id if len(hits) == _PAGE else None
            yield from page

    def namespaces(self) -> Sequence[str]:
        """Of the tenants; one stays when its last point has gone."""
        with self._calling("listing tenants"):
            return [namespace_of(tenant) for tenant in self._protocol.tenants()]

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        with self._lock:
            schema, protocol = self._schema, self._protocol
            self._schema, self._protocol = Schema(self._config), Protocol(self._config)
            self._shape = Shape(self._config, self._schema, self._protocol)
        schema.close()
        protocol.close()

    # Inside --------------------------------------------------------------------------------

    def _sound(
        self, place: Place, points: Sequence[Point], refused: dict[str, RecordError]
    ) -> Iterator[Prepared]:
        """Points as Weaviate takes them, one by one, as a batch of them has some megabytes."""
        infinite = not_finite(points)
        for point in points:
            try:
                yield prepared(place, point, self._config.typed, infinite)
            except RecordError as error:
                refused[point.id] = error

    def _refusals(
        self, namespace: str, request: Sequence[Prepared], said: Mapping[int, str]
    ) -> Mapping[str, RecordError]:
        """The points at fault, unless somebody else is."""
        reasons = {blanked(words) for words in said.values()}
        for words in reasons:
            if is_left_over(words):
                raise FatalError(
                    f"the Weaviate collection {self._name!r} is gone, and out of a write the "
                    "server has made another one of its name: delete that, and start again with "
                    "store.create=true (docs/stores.md)"
                )
            if is_about_dimensions(words) or is_about_collection(words):
                raise FatalError(f"Weaviate, upsert to {self._name}: {words}")
        for index, one in said.items():
            if not is_of_object(blanked(one)):
                raise RetriableError(
                    f"Weaviate, upsert to {namespace}: {len(said)} of {len(request)} objects are "
                    f"not written, such as {request[index].uuid}: {blanked(one)}"
                )
        if len(said) == len(request) >= ENOUGH and len(reasons) == 1:
            raise FatalError(f"Weaviate refuses every point for {self._name}: {reasons.pop()}")
        return {request[index].id: record_error(one) for index, one in said.items()}

    @contextmanager
    def _calling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            # not chained: what the client says quotes answers, and so perhaps rows
            raise translated(error, doing) from None


def _match(hit: search_get_pb2.SearchResult, stored: Mapping[str, object], near: float) -> Match:
    return Match(str(stored[ID]), near - hit.metadata.distance, users(stored))


@contextmanager
def _missing_tenant_is_empty() -> Iterator[None]:
    """A namespace without a tenant has no points."""
    try:
        yield
    except FAILURES as error:
        if not is_about_tenant(error):
            raise


@contextmanager
def _filter_is_the_callers(where: Mapping[str, object] | None) -> Iterator[None]:
    """A query with a filter that Weaviate refuses is refused for its filter."""
    try:
        yield
    except FAILURES as error:
        if where is None or not is_unknown(error) or is_about_tenant(error):
            raise
        raise ConfigError(f"Weaviate refuses the filter: {blanked(sentence(error))}") from None
