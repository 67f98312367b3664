"""Qdrant for ``benchmarks.stores``: its engine in a process of its own, behind the tests' server.

That server is Python, so points/s are those of its JSON and its messages rather than of Qdrant's;
with ``QDRANT_URL`` a real server is measured.

    python -m benchmarks.store_qdrant

is the engine alone, with and without the condition of an upsert.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from qdrant_client import QdrantClient, models

from benchmarks.store_loop import DIMENSIONS, NAMESPACE, batches, points
from benchmarks.store_qdrant_loops import (
    ByHandGrpc,
    ByHandRest,
    Client,
    GuardedGrpc,
    GuardedRest,
    Place,
)
from tests.contract.qdrant_engine import EdgeEngine, upsert_of
from tests.stack.qdrant import Qdrant
from worker.store import qdrant_rest
from worker.store.qdrant import QdrantStore
from worker.store.qdrant_config import QdrantConfig
from worker.store.qdrant_points import prepared
from worker.store.stamp import OFFSET, PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.store_loop import Loop
    from worker.model import Point
    from worker.store.port import Store

COLLECTIONS = ("ours", "hand", "guarded", "client")
ROUNDS = 3


@contextmanager
def over_rest() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """One collection for each side."""
    with _served() as place:
        store = _store(place, "rest")
        yield (
            store,
            {
                "httpx, orjson": GuardedRest(place),
                "the same, unguarded": ByHandRest(place),
                "Qdrant's client, unguarded": Client(place, prefer_grpc=False),
            },
        )
        store.close()


@contextmanager
def over_grpc() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """The same over gRPC."""
    with _served() as place:
        store = _store(place, "grpc")
        yield (
            store,
            {
                "its messages": GuardedGrpc(place),
                "the same, unguarded": ByHandGrpc(place),
                "Qdrant's client, unguarded": Client(place, prefer_grpc=True),
            },
        )
        store.close()


@contextmanager
def _served() -> Iterator[Place]:
    if "QDRANT_URL" in os.environ:
        yield Place(os.environ["QDRANT_URL"], int(os.environ.get("QDRANT_GRPC_PORT", "6334")))
        return
    with TemporaryDirectory() as folder:
        server = Qdrant(Path(folder))
        server.start()
        try:
            yield Place(server.url, server.grpc_port)
        finally:
            server.kill()


def _store(place: Place, transport: str) -> QdrantStore:
    client = QdrantClient(url=place.url, check_compatibility=False)
    params = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
    for name in COLLECTIONS[1:]:
        client.create_collection(name, params)
    client.create_payload_index("guarded", "place", models.PayloadSchemaType.KEYWORD, wait=True)
    client.create_payload_index("guarded", "offset", models.PayloadSchemaType.INTEGER, wait=True)
    keys = {
        "store.index": COLLECTIONS[0],
        "store.create": True,
        "store.url": place.url,
        "store.transport": transport,
        "store.grpc.port": place.grpc_port,
    }
    store = QdrantStore(QdrantConfig.model_validate(keys))
    store.create(DIMENSIONS)
    store.check(DIMENSIONS)
    return store


def main() -> None:
    """Print what the condition of an upsert costs the engine itself."""
    with TemporaryDirectory() as folder:
        engine = EdgeEngine(Path(folder))
        engine.create("ours", models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE))
        engine.index("ours", PLACE, "keyword")
        engine.index("ours", OFFSET, "integer")
        for number in range(ROUNDS):
            for is_guarded in (False, True):
                cpu_us = [
                    _engine_us(engine, batch, is_guarded) for batch in batches(points(number))
                ]
                how = "with" if is_guarded else "without"
                print(f"an upsert {how} its condition: {min(cpu_us):.1f} µs of CPU a point")


def _engine_us(engine: EdgeEngine, batch: Sequence[Point], is_guarded: bool) -> float:  # noqa: FBT001
    body = qdrant_rest.body([prepared(NAMESPACE, point, frozenset()) for point in batch], "")
    wanted = models.PointsList.model_validate_json(body)
    operation = upsert_of(wanted.points, wanted.update_filter if is_guarded else None)
    began_s = time.process_time()
    engine.update("ours", operation)
    return (time.process_time() - began_s) / len(batch) * 1e6


if __name__ == "__main__":
    main()
