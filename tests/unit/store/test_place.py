"""What spans say of where a store's calls go, by OpenTelemetry's conventions for databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.store.pgvector_config import PgvectorConfig
from worker.store.pinecone_config import PineconeConfig
from worker.store.place import NOWHERE
from worker.store.qdrant_config import QdrantConfig
from worker.store.weaviate_config import WeaviateConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.store.creation import Creation

SHOP = {"db.collection.name": "Shop"}


def at(address: str, port: int) -> dict[str, object]:
    return {"server.address": address, "server.port": port}


@pytest.mark.parametrize(
    ("config", "keys", "named"),
    [
        (
            PgvectorConfig,
            {"store.url": "postgresql://db:5433/my%20shop?sslmode=require"},
            {"db.namespace": "my shop|vecsink", **at("db", 5433)},
        ),
        (
            PgvectorConfig,
            {"store.url": "postgresql://db/shop", "store.schema": "search"},
            {"db.namespace": "shop|search", "server.address": "db"},
        ),
        (
            PgvectorConfig,
            {"store.url": "postgresql://one:5432,two:5432/shop"},
            {"db.namespace": "shop|vecsink"},
        ),
        (QdrantConfig, {"store.url": "http://q:6333"}, at("q", 6333)),
        (QdrantConfig, {"store.url": "http://q:1", "store.transport": "grpc"}, at("q", 6334)),
        (WeaviateConfig, {"store.url": "http://w:8080"}, at("w", 50051)),
        (WeaviateConfig, {"store.url": "http://[::1]:8080"}, at("::1", 50051)),
        (PineconeConfig, {"store.api.key": "k"}, {}),
        (
            PineconeConfig,
            {"store.api.key": "k", "store.host": "https://shop-1.svc.pinecone.io"},
            {"server.address": "shop-1.svc.pinecone.io"},
        ),
    ],
)
def test_spans_name_collection_database_and_server(
    config: type[Creation], keys: Mapping[str, object], named: Mapping[str, object]
) -> None:
    made = config.model_validate({"store.index": "Shop", **keys})
    assert made.place.attributes == {**SHOP, **named}


def test_what_is_no_server_has_no_place() -> None:
    assert NOWHERE.attributes == {}
