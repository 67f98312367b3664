"""Pinecone as a vector store, by the vendor's client over REST.

Pinecone has no conditional writes and shows them after a while, as the capabilities say.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pinecone.errors import ApiError, NotFoundError, PineconeConnectionError, PineconeError

from worker.errors import ConfigError, FatalError, RecordError
from worker.model import Point
from worker.store import pinecone_index as opening
from worker.store.pinecone_config import PineconeConfig
from worker.store.pinecone_connection import PineconeConnection
from worker.store.pinecone_errors import (
    FAILURES,
    blanked,
    is_about_dimensions,
    is_refusal,
    translated,
)
from worker.store.pinecone_log import PineconeLog
from worker.store.pinecone_requests import (
    FETCH_URL_BYTES,
    LONGEST_ID,
    delete_requests,
    fetch_query,
    fetch_requests,
    is_id,
    prepared,
    upsert_requests,
)
from worker.store.pinecone_upsert import upsert
from worker.store.port import Capabilities, Match
from worker.store.stamp import stamp_of, users

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinecone import Vector as PineconeVector

    from worker.config.section import Section
    from worker.model import Position, Vector
    from worker.store.pinecone_requests import Prepared
    from worker.store.port import Deletion

log = logging.getLogger(__name__)

_PAGE = 100
"""Ids in a page of a listing, the most there is."""
_URL_TOO_LONG = 414


class PineconeStore:
    """A Pinecone index. Thread-safe; connects at the first call."""

    Config: ClassVar[type[Section]] = PineconeConfig

    def __init__(self, config: PineconeConfig) -> None:
        self._config = config
        self._connection = PineconeConnection(config)
        self._log = PineconeLog(self._connection)

    @property
    def capabilities(self) -> Capabilities:
        """No conditional writes; visible after ``store.settle.ms``."""
        return Capabilities(
            guarded=False,
            settle_s=self._config.settle_ms / 1000,
            write_timeout_s=opening.TIMEOUT_S,
        )

    @property
    def write_log(self) -> PineconeLog:
        """By the numbers of its writes."""
        return self._log

    @property
    def transactions(self) -> None:
        """It has none."""

    def create(self, dimensions: int) -> bool:
        """A serverless index; it takes a while until it is ready, which ``check`` says."""
        config = self._config
        config.expect(dimensions)
        if not config.create:
            return False
        place = opening.Place(config.cloud, config.region)
        with self._calling("making the index"):
            key = config.api_key.get_secret_value()
            shape = opening.Shape(dimensions, config.metric)
            is_made = opening.create(config.index, key, config.url, shape, place)
        if is_made:
            log.info("Pinecone index %r was made.", config.index)
        return is_made

    def check(self, dimensions: int) -> None:
        """Ask both planes anew, so that an index that was made again is found as it is now."""
        self.close()
        with self._config.expecting(dimensions), self._calling("looking for the index"):
            index, shape = self._connection.index()
            index.describe_index_stats()  # the data plane may be out of reach on its own
        if shape.dimensions != dimensions:
            raise FatalError(
                f"the Pinecone index {self._config.index!r} takes {shape.dimensions} dimensions, "
                f"the model makes {dimensions}: choose another index or another model"
            )
        log.info(
            "Pinecone index %r: %d dimensions, %s.",
            self._config.index,
            shape.dimensions,
            shape.metric,
        )

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """Points by id, as many in a request as fit into a URL."""
        possible = [point_id for point_id in dict.fromkeys(ids) if is_id(point_id)]
        found: dict[str, Point] = {}
        for request in fetch_requests(possible, FETCH_URL_BYTES):
            found.update(self._fetch(namespace, request))
        return found

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write points; when a request is refused, the points at fault are found by halving."""
        _expect_name(namespace)
        refused: dict[str, RecordError] = {}
        with self._calling(f"upsert to {namespace}"):
            index, shape = self._connection.index()
            self._expect_dimensions(points, shape)
            work = upsert(index, namespace)
            for request in upsert_requests(_sound(points, refused)):
                work.send(request)
        return refused | work.refused()

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Delete by id. Pinecone cannot compare Positions."""
        ids = [deletion.id for deletion in deletions if is_id(deletion.id)]
        for request in delete_requests(ids):
            with self._calling(f"deletion in {namespace}"), self._missing_namespace_is_empty():
                self._connection.index()[0].delete(namespace=namespace, ids=list(request))
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
        """The nearest points; ``where`` goes to Pinecone as it is."""
        with self._calling(f"query of {namespace}"), self._missing_namespace_is_empty():
            index, shape = self._connection.index()
            with _filter_is_the_callers(where):
                answer = index.query(
                    namespace=namespace,
                    vector=vector.tolist(),
                    top_k=k,
                    filter=None if where is None else dict(where),
                    include_metadata=True,
                )
            sign = -1.0 if shape.metric == "euclidean" else 1.0
            return [
                Match(found.id, sign * found.score, users(found.metadata or {}))
                for found in answer.matches
            ]
        return []

    def scan(self, namespace: str) -> Iterator[Point]:
        """List ids page by page, and fetch each page."""
        token: str | None = None
        while True:
            ids, token = self._page(namespace, token)
            yield from self.fetch(namespace, ids).values()
            if token is None:
                return

    def namespaces(self) -> Sequence[str]:
        """Names as Pinecone lists them; its default one is ``__default__``."""
        with self._calling("listing namespaces"):
            pages = self._connection.index()[0].list_namespaces()
            return [space.name for page in pages for space in page.namespaces]

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        self._connection.close()

    # Inside --------------------------------------------------------------------------------

    def _fetch(self, namespace: str, request: Sequence[str]) -> dict[str, Point]:
        """Where something on the way takes no URL as long as that, it gets half of it."""
        with self._calling(f"fetch from {namespace}"), self._missing_namespace_is_empty():
            try:
                answer = self._connection.index()[0].fetch_by_query(fetch_query(namespace, request))
            except ApiError as error:
                if error.status_code != _URL_TOO_LONG or len(request) == 1:
                    raise
                half = len(request) // 2
                first, second = request[:half], request[half:]
                return self._fetch(namespace, first) | self._fetch(namespace, second)
            return {point_id: _point(vector) for point_id, vector in answer.vectors.items()}
        return {}

    def _page(self, namespace: str, token: str | None) -> tuple[list[str], str | None]:
        with self._calling(f"list of {namespace}"), self._missing_namespace_is_empty():
            page = self._connection.index()[0].list_paginated(
                namespace=namespace, limit=_PAGE, pagination_token=token
            )
            following = page.pagination.next if page.pagination else None
            return [item.id for item in page.vectors if item.id], following or None
        return [], None

    def _expect_dimensions(self, points: Sequence[Point], shape: opening.Shape) -> None:
        for point in points:
            if point.vector.size != shape.dimensions:
                raise FatalError(
                    f"the Pinecone index {self._config.index!r} takes {shape.dimensions} "
                    f"dimensions, a vector has {point.vector.size}"
                )

    @contextmanager
    def _calling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            if isinstance(error, PineconeConnectionError):
                self._connection.doubt()
            raise translated(error, doing) from error

    @contextmanager
    def _missing_namespace_is_empty(self) -> Iterator[None]:
        """Pinecone answers 404 for a namespace without points; for a missing index as well."""
        try:
            yield
        except NotFoundError as error:
            if "namespace" not in error.message.lower():
                self._connection.index()[0].describe_index_stats()  # raises if the index is gone


@contextmanager
def _filter_is_the_callers(where: Mapping[str, object] | None) -> Iterator[None]:
    """A query with a filter that Pinecone refuses is refused for its filter."""
    try:
        yield
    except PineconeError as error:
        if where is None or not is_refusal(error) or is_about_dimensions(error):
            raise
        raise ConfigError(f"Pinecone refuses the filter: {blanked(error)}") from error


def _sound(points: Iterable[Point], refused: dict[str, RecordError]) -> Iterator[Prepared]:
    """Points as Pinecone takes them, one by one, as a batch of them as JSON has some megabytes."""
    for point in points:
        try:
            yield prepared(point)
        except RecordError as error:
            refused[point.id] = error


def _expect_name(namespace: str) -> None:
    """A namespace has the rules of an id; the empty one is Pinecone's default."""
    if namespace and not is_id(namespace):
        raise FatalError(
            f"{namespace!r} cannot be a Pinecone namespace (up to {LONGEST_ID} ASCII characters): "
            f"change store.namespace"
        )


def _point(vector: PineconeVector) -> Point:
    stored = vector.metadata or {}
    return Point(
        vector.id,
        np.asarray(vector.values, dtype=np.float32),
        users(stored),
        stamp_of(stored),
    )
