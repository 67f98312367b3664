"""The stores that histories may end in, each on a server of its own that may be killed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.stack import artifacts
from tests.stack.bench import Bench
from tests.stack.index import Index, PgvectorIndex, PineconeIndex
from tests.stack.local_store import LocalStore
from tests.stack.ports import free_ports
from tests.stack.postgres import Postgres
from tests.stack.qdrant import Qdrant, QdrantIndex
from tests.stack.weaviate import Weaviate, WeaviateIndex, require_weaviate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.stack.bench import Server
    from tests.stack.stack import Stack

IN_TURN = ("weaviate", "pinecone", "pgvector", "pinecone", "qdrant", "qdrant-grpc")
KEY = "history"


def chosen(seed: int) -> str:
    """``VECSINK_HISTORIES_STORE``, or the store of a seed, then Weaviate only where it is built."""
    if wanted := os.environ.get("VECSINK_HISTORIES_STORE"):
        return wanted
    name = IN_TURN[seed % len(IN_TURN)]
    return "pinecone" if name == "weaviate" and not artifacts.has_weaviate() else name


@contextmanager
def benched(stack: Stack, folder: Path, store: str) -> Iterator[Bench]:
    """Everything for one history with this store."""
    with _STORES[store](folder) as (server, index):
        bench = Bench(stack, server, index, folder)
        try:
            yield bench
        finally:
            bench.close()


@contextmanager
def _pinecone(folder: Path) -> Iterator[tuple[Server, Index]]:
    server = LocalStore(folder / "store")
    server.start()
    try:
        yield server, PineconeIndex.create(server.url, "index")
    finally:
        server.stop()


@contextmanager
def _pgvector(folder: Path) -> Iterator[tuple[Server, Index]]:
    server = Postgres(folder, *free_ports(1))
    server.start()
    try:
        server.create_database("vectors")
        yield server, PgvectorIndex(server, "vectors")
    finally:
        server.stop()
        server.remove_data()


@contextmanager
def _qdrant(folder: Path, transport: str) -> Iterator[tuple[Server, Index]]:
    server = Qdrant(folder)
    server.start()
    try:
        yield server, QdrantIndex(server, transport)
    finally:
        server.kill()


@contextmanager
def _weaviate(folder: Path) -> Iterator[tuple[Server, Index]]:
    require_weaviate()
    server = Weaviate(folder, KEY)
    server.start()
    try:
        yield server, WeaviateIndex(server)
    finally:
        server.stop()


_STORES: Mapping[str, Callable[[Path], AbstractContextManager[tuple[Server, Index]]]] = {
    "pinecone": _pinecone,
    "pgvector": _pgvector,
    "qdrant": partial(_qdrant, transport="rest"),
    "qdrant-grpc": partial(_qdrant, transport="grpc"),
    "weaviate": _weaviate,
}
