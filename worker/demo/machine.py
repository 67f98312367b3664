"""The parts that the demo needs on this machine, and the worker as ``vecsink run`` makes it."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from worker.build import Assembly
from worker.checks import CHECKS
from worker.clock import SystemClock
from worker.config.load import load
from worker.config.load_worker import load_worker
from worker.decode.local_registry import LocalRegistry
from worker.immutable import immutable
from worker.pinecone_local.server import PineconeLocal
from worker.source.mock_cluster import MockCluster
from worker.throttle.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig

INDEX = "shop"
_API_KEY = "local"
_AVRO = "io.confluent.connect.avro.AvroConverter"
_DIMENSIONS = 384
"""Of the packaged model; the worker refuses an index of another size."""


@immutable
class Servers:
    """Addresses of what a worker talks to."""

    brokers: str
    registry: str
    pinecone: str


@contextmanager
def servers(schemas: Mapping[int, str]) -> Iterator[Servers]:
    """Broker, schema registry and vector store on free ports of this machine."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    with MockCluster() as broker, LocalRegistry(schemas) as registry, PineconeLocal() as pinecone:
        yield Servers(broker.bootstrap_servers, registry.url, pinecone.url)


def connector_of(servers: Servers, topic: str) -> dict[str, str]:
    """The connector's JSON: all that a user writes."""
    return {
        "name": "products",
        "connector.class": "EmbeddingSink",
        "topics": topic,
        "key.converter": _AVRO,
        "key.converter.schema.registry.url": servers.registry,
        "value.converter": _AVRO,
        "value.converter.schema.registry.url": servers.registry,
        "document.fields": "Product: name, Category: category, description",
        "metadata.fields": "name, category, price, in_stock",
        "embedder": "local",
        "store": "pinecone",
        "store.index": INDEX,
        "store.url": servers.pinecone,
        "store.api.key": _API_KEY,
    }


def assembly_of(servers: Servers, connector: Mapping[str, str]) -> Assembly:
    """What ``vecsink run`` makes of a file with this connector; the file is gone afterwards.

    Variables of the environment have no say, so that the demo is the same everywhere.

    Raises:
        ConfigError: the extra of the embedder or the store is not installed.
    """
    worker = load_worker(environ={"CONNECT_BOOTSTRAP_SERVERS": servers.brokers}).require()
    return Assembly.of(worker, _loaded(connector, worker), Accounts(SystemClock()))


def _loaded(connector: Mapping[str, str], worker: WorkerConfig) -> ConnectorConfig:
    with TemporaryDirectory(prefix="vecsink-demo-") as folder:
        file = Path(folder) / "products.json"
        file.write_text(json.dumps(connector), encoding="utf-8")
        (config,) = load([file], worker=worker, checks=CHECKS, environ={}).require()
    return config


def create_index(servers: Servers) -> None:
    """Make the index as a user of Pinecone does, with Pinecone's own client."""
    from pinecone import Pinecone, ServerlessSpec  # noqa: PLC0415 - an extra, checked before

    place = ServerlessSpec(cloud="aws", region="us-east-1")
    with Pinecone(api_key=_API_KEY, host=servers.pinecone) as client:
        client.create_index(name=INDEX, dimension=_DIMENSIONS, metric="cosine", spec=place)
