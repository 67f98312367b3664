"""Connecting to Qdrant, and finding out what a collection takes, or making it.

The client's own look at the server's version is off: it only warns, and from a thread of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx
from qdrant_client import QdrantClient, models

from worker.answers import read_whole
from worker.errors import ConfigError, FatalError
from worker.immutable import immutable
from worker.store.grpc_channels import OPTIONS
from worker.store.qdrant_errors import FAILURES, is_conflict, is_missing
from worker.store.qdrant_points import GONE, NAMESPACE
from worker.store.stamp import OFFSET, PLACE
from worker.tls import trusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.store.qdrant_config import QdrantConfig

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
"""httpx's own, as the client keeps no connection to this machine alive."""
_OLDEST: Final = (1, 16)
"""The first version that can compare before it replaces a point; older ones ignore the wish."""

_DISTANCES: Final = {
    "cosine": models.Distance.COSINE,
    "dotproduct": models.Distance.DOT,
    "euclidean": models.Distance.EUCLID,
}
_OURS: Final[Mapping[str, models.PayloadSchemaType | models.KeywordIndexParams]] = {
    NAMESPACE: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    PLACE: models.PayloadSchemaType.KEYWORD,
    OFFSET: models.PayloadSchemaType.INTEGER,
    GONE: models.PayloadSchemaType.INTEGER,
}
"""What we filter by. Servers in strict mode refuse filters by anything that has no index."""


@immutable
class Shape:
    """What a collection takes, and how its scores are ordered."""

    dimensions: int
    distance: models.Distance

    @property
    def sign(self) -> float:
        """-1 where a smaller score is a better match."""
        far = {models.Distance.EUCLID, models.Distance.MANHATTAN}
        return -1.0 if self.distance in far else 1.0


def connected(config: QdrantConfig) -> QdrantClient:
    """A client where one call is one request.

    Raises:
        ConfigError: it does not take the address.
    """
    key = config.api_key.get_secret_value() if config.api_key else None
    try:
        return QdrantClient(
            url=config.url,
            prefer_grpc=config.transport == "grpc",
            grpc_port=config.grpc_port,
            # not as ``api_key``, with which the client warns of plain HTTP on the standard error
            headers={"api-key": key} if key else None,
            grpc_options=dict(OPTIONS),
            timeout=config.timeout_s,
            check_compatibility=False,
            limits=_LIMITS,
            verify=trusted(),
            event_hooks={"response": [read_whole]},
        )
    except ValueError as error:
        raise ConfigError(
            "store.url: expected an address such as http://host:6333 or https://host:6333"
        ) from error


def expect_version(client: QdrantClient) -> str:
    """The server's version.

    Raises:
        FatalError: it is too old to refuse old writes.
    """
    version = client.info().version
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and tuple(map(int, found.groups())) < _OLDEST:
        raise FatalError(
            f"the Qdrant server is of version {version}, and conditional writes came with 1.16: "
            "update it"
        )
    return version


def shape_of(client: QdrantClient, config: QdrantConfig) -> Shape:
    """What the collection takes.

    Raises:
        MissingIndexError: there is no such collection.
        FatalError: it has no vector of that name.
    """
    try:
        held = client.get_collection(config.index).config.params.vectors
    except FAILURES as error:
        if not is_missing(error):
            raise
        raise config.missing(
            f"the collection {config.index!r}",
            f"Qdrant has no collection {config.index!r} (store.index); it has: {_names(client)}",
        ) from None
    return _shape(held, config)


def create(client: QdrantClient, config: QdrantConfig, dimensions: int) -> bool:
    """Make the collection, unless there is one of this name; whether it was made."""
    if client.collection_exists(config.index):
        return False
    try:
        client.create_collection(config.index, _vectors(config, dimensions))
    except FAILURES as error:
        if not is_conflict(error):
            raise
        return False  # another worker was faster
    return True


def create_indexes(client: QdrantClient, config: QdrantConfig) -> None:
    """Make the payload indexes that are missing."""
    held = client.get_collection(config.index).payload_schema
    for name, kind in _wanted(config).items():
        if name not in held:
            client.create_payload_index(config.index, name, kind, wait=True)


def expect_indexes(client: QdrantClient, config: QdrantConfig) -> None:
    """Whether the payload has the indexes that filters need, or the first run makes them.

    Raises:
        FatalError: it has not.
    """
    if config.create:
        return
    missing = _wanted(config).keys() - client.get_collection(config.index).payload_schema.keys()
    if missing:
        raise FatalError(
            f"the Qdrant collection {config.index!r} has no payload index for "
            f"{', '.join(sorted(missing))}: make them (see docs/stores.md), or set "
            "store.create=true"
        )


def _wanted(
    config: QdrantConfig,
) -> dict[str, models.PayloadSchemaType | models.KeywordIndexParams]:
    users = {name: models.PayloadSchemaType(kind) for name, kind in config.payload_indexes}
    return {**_OURS, **users}


def _vectors(
    config: QdrantConfig, dimensions: int
) -> models.VectorParams | dict[str, models.VectorParams]:
    params = models.VectorParams(size=dimensions, distance=_DISTANCES[config.metric])
    return {config.vector: params} if config.vector else params


def _shape(held: object, config: QdrantConfig) -> Shape:
    named = held if isinstance(held, dict) else {"": held}
    params = named.get(config.vector)
    if not isinstance(params, models.VectorParams) or params.multivector_config is not None:
        names = ", ".join(repr(name) for name in sorted(named)) or "none"
        raise FatalError(
            f"the Qdrant collection {config.index!r} has no single dense vector "
            f"{config.vector!r} (store.vector); it has: {names}"
        )
    return Shape(params.size, params.distance)


def _names(client: QdrantClient) -> str:
    return ", ".join(sorted(one.name for one in client.get_collections().collections)) or "none"
