"""Opening a Pinecone index, and finding out what it is.

The SDK's own retries are off: ours honour shutdown, and two layers of retries multiply.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import httpx
from pinecone import Index, Pinecone, RetryConfig, ServerlessSpec

# The SDK hands ``retry_config`` to its control plane and to gRPC, never to the REST data plane.
from pinecone._internal.constants import DATA_PLANE_API_VERSION
from pinecone._internal.http_client import HTTPClient
from pinecone.errors import ConflictError, NotFoundError
from pinecone.models.response_info import ResponseInfo

import worker.store.pinecone_answers  # noqa: F401 - prepares what the SDK returns
from worker.answers import read_whole
from worker.errors import FatalError, RetriableError
from worker.immutable import immutable
from worker.store.pinecone_http import over_wire
from worker.tls import trusted

if TYPE_CHECKING:
    from pinecone.models.indexes.index import IndexModel
    from pinecone.models.vectors.responses import FetchResponse

    from worker.store.pinecone_config import PineconeConfig
    from worker.store.pinecone_requests import Body

TIMEOUT_S = 30.0
"""Of one request."""

_ONCE = RetryConfig(max_retries=0)
_DENSE = "_values"
_VECTOR_FIELDS = frozenset({_DENSE, "_sparse_values"})
"""The fields of an index that was made with dimension and metric; others are document indexes."""


@immutable
class Shape:
    """What an index takes."""

    dimensions: int
    metric: str


@immutable
class Place:
    """Where an index is made."""

    cloud: str
    region: str


@immutable
class Opened:
    """An index that can be used, and what it takes."""

    index: IndexWithoutRetries
    shape: Shape


class IndexWithoutRetries(Index):
    """The SDK's data plane, where one call is one request."""

    def __init__(self, host: str, api_key: str) -> None:
        with over_wire():
            # The SDK hands ``ssl_verify`` on to httpx, which takes a context as well.
            super().__init__(host=host, api_key=api_key, timeout=TIMEOUT_S, ssl_verify=trusted())  # type: ignore[arg-type]
            self._http.close()
            self._http = HTTPClient(
                dataclasses.replace(self._config, retry_config=_ONCE), DATA_PLANE_API_VERSION
            )
        self._fetch_url = httpx.URL(f"{self.host}/vectors/fetch")
        self._http._client.event_hooks = {"response": [read_whole]}  # noqa: SLF001 - no other way

    def fetch_by_query(self, query: str) -> FetchResponse:
        """``fetch`` with a query string that is ready.

        The SDK checks and escapes each id in Python, which was most of the 14 µs that an id cost.
        """
        url = _with_query(self._fetch_url, query)
        answer = self._http.get(url)  # type: ignore[arg-type]  # httpx takes one as well
        return self._adapter.to_fetch_response(answer.content)

    def delete_numbered(self, namespace: str, point_id: str) -> int | None:
        """``delete``, with the number that this write has; the SDK keeps it to itself."""
        answer = self._http.post(
            "/vectors/delete", json={"namespace": namespace, "ids": [point_id]}
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return ResponseInfo(raw_headers=headers).lsn_committed

    def upsert_body(self, body: Body) -> None:
        """``upsert`` of points that are JSON already.

        The SDK would copy them into one body, and httpx what the socket did not take of that, again
        and again: with eight requests of two megabytes on their way, a fifth of the process.
        """
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        answer = self._http.post("/vectors/upsert", content=body, headers=headers)
        self._adapter.to_upsert_response(answer.content)


def _with_query(url: httpx.URL, query: str) -> httpx.URL:
    """``url`` with a query that is escaped; httpx would look at each character of it in Python."""
    made = httpx.URL(url)
    made._uri_reference = url._uri_reference._replace(query=query)  # noqa: SLF001 - no other way
    return made


def create(name: str, api_key: str, url: str | None, shape: Shape, place: Place) -> bool:
    """Make a serverless index, unless there is one of this name; whether it was made.

    It takes a while until it is ready; ``by_name`` says so.
    """
    with control_plane(api_key, url) as control:
        if control.indexes.exists(name):
            return False
        try:
            control.indexes.create(
                name=name,
                dimension=shape.dimensions,
                metric=shape.metric,
                spec=ServerlessSpec(cloud=place.cloud, region=place.region),
                timeout=-1,
            )
        except ConflictError:
            return False  # another worker was faster
    return True


def by_name(config: PineconeConfig) -> Opened:
    """Ask the control plane where the index is, and open it.

    Raises:
        RetriableError: it is still being made.
        MissingIndexError: there is no such index.
        FatalError: it takes no dense vectors.
    """
    api_key = config.api_key.get_secret_value()
    with control_plane(api_key, config.url) as control:
        model = describe(control, config)
    shape = shape_of(model)
    return Opened(IndexWithoutRetries(str(model.host), api_key), shape)


def by_host(host: str, api_key: str) -> Opened:
    """Open an index without asking the control plane.

    Raises:
        FatalError: it takes no dense vectors.
    """
    index = IndexWithoutRetries(host, api_key)
    return Opened(index, shape_by_statistics(index))


def control_plane(api_key: str, url: str | None) -> Pinecone:
    """The SDK's control plane, where one call is one request."""
    with over_wire():
        return Pinecone(
            api_key=api_key,
            host=url,
            timeout=TIMEOUT_S,
            retry_config=_ONCE,
            ssl_verify=trusted(),  # type: ignore[arg-type]  # see above
        )


def describe(control: Pinecone, config: PineconeConfig) -> IndexModel:
    """The index as the control plane sees it.

    Raises:
        MissingIndexError: there is no such index; names those that exist.
    """
    name = config.index
    try:
        return control.indexes.describe(name)
    except NotFoundError as error:
        existing = ", ".join(sorted(index.name for index in control.indexes.list())) or "none"
        raise config.missing(
            f"the index {name!r}",
            f"Pinecone has no index {name!r} (store.index); the project has: {existing}",
        ) from error


def shape_of(model: IndexModel) -> Shape:
    """What the index takes.

    Raises:
        RetriableError: it is still being made.
        FatalError: it does not take dense vectors through the vectors API.
    """
    if not model.status.ready or model.host is None:
        raise RetriableError(f"the Pinecone index {model.name!r} is not ready yet")
    fields: dict[str, Any] = model.schema.fields
    if not fields.keys() <= _VECTOR_FIELDS:
        raise FatalError(
            f"the Pinecone index {model.name!r} is a document index (fields "
            f"{', '.join(sorted(fields))}); store=pinecone writes vectors: make an index with "
            f"dimension and metric and name it in store.index"
        )
    if _DENSE not in fields:
        raise FatalError(f"the Pinecone index {model.name!r} takes sparse vectors alone")
    return Shape(fields[_DENSE].dimension, fields[_DENSE].metric)


def shape_by_statistics(index: Index) -> Shape:
    """What the index takes, asked of the data plane alone.

    Raises:
        FatalError: it does not take dense vectors.
    """
    stats = index.describe_index_stats()
    if stats.dimension is None:
        raise FatalError("the Pinecone index at store.host takes no dense vectors")
    return Shape(stats.dimension, stats.metric or "cosine")
