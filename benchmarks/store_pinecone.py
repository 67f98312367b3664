"""Pinecone for ``benchmarks.stores``: ``vecsink pinecone-local`` as a process, over REST."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import orjson
from pinecone import Pinecone, ServerlessSpec

from benchmarks.main_job.servers import local_server
from benchmarks.store_loop import DIMENSIONS, NAMESPACE, Loop, apart, kept
from worker.store.pinecone import PineconeStore
from worker.store.pinecone_config import PineconeConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinecone import Index

    from worker.model import Point
    from worker.store.port import Store

KEY = "any"
BY_HAND = 100
BY_CLIENT = 67
"""Points that Pinecone takes in a request of 2 MB: the client writes twice the digits."""


class ByHand(Loop):
    """httpx and orjson."""

    def __init__(self, host: str) -> None:
        self._http = httpx.Client(base_url=host, headers={"api-key": KEY}, timeout=30.0)

    def upsert(self, points: Sequence[Point]) -> object:
        for start in range(0, len(points), BY_HAND):
            self._upsert(points[start : start + BY_HAND])
        return None

    def _upsert(self, points: Sequence[Point]) -> None:
        vectors = [
            {"id": point.id, "values": point.vector, "metadata": kept(point)} for point in points
        ]
        body = orjson.dumps(
            {"namespace": NAMESPACE, "vectors": vectors}, option=orjson.OPT_SERIALIZE_NUMPY
        )
        headers = {"content-type": "application/json"}
        self._http.post("/vectors/upsert", content=body, headers=headers).raise_for_status()

    def fetch(self, ids: Sequence[str]) -> object:
        query = f"namespace={NAMESPACE}&ids={'&ids='.join(ids)}"
        answer = self._http.get(f"/vectors/fetch?{query}").raise_for_status()
        found = orjson.loads(answer.content)["vectors"]
        return {
            name: (np.array(one["values"], np.float32), *apart(one["metadata"]))
            for name, one in found.items()
        }


class Client(Loop):
    """The vendor's client with lists of numbers, as its examples have it."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def upsert(self, points: Sequence[Point]) -> object:
        for start in range(0, len(points), BY_CLIENT):
            vectors: list[Any] = [
                {"id": point.id, "values": point.vector.tolist(), "metadata": kept(point)}
                for point in points[start : start + BY_CLIENT]
            ]
            self._index.upsert(vectors=vectors, namespace=NAMESPACE)
        return None

    def fetch(self, ids: Sequence[str]) -> object:
        found = self._index.fetch(ids=list(ids), namespace=NAMESPACE).vectors
        return {
            name: (np.array(one.values, np.float32), *apart(one.metadata))
            for name, one in found.items()
        }


@contextmanager
def opened() -> Iterator[tuple[Store, Mapping[str, Loop]]]:
    """One index for each side."""
    with (
        local_server("pinecone-local", "--port", "0", "--data-ports", "") as server,
        Pinecone(api_key=KEY, host=server.url) as control,
    ):
        spec = ServerlessSpec(cloud="aws", region="us-east-1")
        for name in ("ours", "hand", "client"):
            control.create_index(name=name, dimension=DIMENSIONS, metric="cosine", spec=spec)
        keys = {"store.index": "ours", "store.api.key": KEY, "store.url": server.url}
        store = PineconeStore(PineconeConfig.model_validate(keys))
        host = str(control.describe_index("hand").host)
        with control.index("client") as index:
            yield store, {"httpx, orjson": ByHand(host), "Pinecone's client": Client(index)}
        store.close()
