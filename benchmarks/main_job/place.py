"""Everything that the job needs around the worker."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.broker import broker, fill
from benchmarks.main_job.servers import Servers, servers
from benchmarks.main_job.worker import Worker
from benchmarks.rows import FIELDS, KEY_ID, KEY_SCHEMA, METADATA, VALUE_ID, VALUE_SCHEMA, Rows
from worker.decode.local_registry import LocalRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.stack.kafka import Kafka

ROWS = 21_000
MODELS = {
    384: {"embedder.model": "embed-english-light-v3.0"},
    1024: {"embedder.model": "embed-v4.0", "embedder.dimensions": "1024"},
}
"""A Cohere model by the length of its vectors."""


@dataclass(frozen=True, slots=True)
class Place:
    """A broker, a schema registry, a provider and a Pinecone."""

    kafka: Kafka
    registry: str
    servers: Servers
    folder: Path

    def topic(self, name: str, count: int = ROWS, partitions: int = 1) -> Rows:
        """A new topic with so many inserts of 60 words, each of a row of its own."""
        rows = Rows(count, f"{name}.public.products", keys=count)
        fill(self.kafka, rows, partitions)
        return rows

    def worker(
        self, topic: str, index: str, dimensions: int, environment: Mapping[str, str] | None = None
    ) -> Worker:
        """A new connector with the defaults and a dead-letter topic."""
        config = {
            "name": f"bench-{uuid.uuid4()}",
            "connector.class": "EmbeddingSink",
            "topics": topic,
            "key.converter": "avro",
            "key.converter.schema.registry.url": self.registry,
            "value.converter": "avro",
            "value.converter.schema.registry.url": self.registry,
            "document.fields": FIELDS,
            "metadata.fields": METADATA,
            "embedder": "cohere",
            "embedder.base.url": f"{self.servers.provider.url}/cohere",
            "embedder.api.key": "any",
            **MODELS[dimensions],
            "store": "pinecone",
            "store.index": index,
            "store.url": self.servers.pinecone.url,
            "store.api.key": "any",
            "errors.tolerance": "all",
        }
        kafka = {"CONNECT_BOOTSTRAP_SERVERS": self.kafka.bootstrap}
        return Worker(self.folder, config, {**kafka, **(environment or {})})

    def dead_letters(self, worker: Worker) -> int:
        """Records in the connector's dead-letter topic."""
        return self.kafka.topics.count(f"{worker.name}-dlq")


@contextmanager
def place() -> Iterator[Place]:
    """Started, and gone afterwards."""
    schemas = {KEY_ID: json.dumps(KEY_SCHEMA), VALUE_ID: json.dumps(VALUE_SCHEMA)}
    with (
        TemporaryDirectory(prefix="vecsink-job-") as folder,
        broker() as kafka,
        LocalRegistry(schemas) as registry,
        servers() as running,
    ):
        yield Place(kafka, registry.url, running, Path(folder))
