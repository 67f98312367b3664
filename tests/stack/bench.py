"""What an end-to-end test has on its bench: an index, a captured table, workers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tests.stack.index import DIMENSIONS, Index
from tests.stack.oracle import assert_no_commit_ahead_of_the_index
from tests.stack.worker_process import WorkerProcess, commits, committed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack


class Server(Protocol):
    """Of a store; it keeps its data and its addresses."""

    def start(self) -> None:
        """Start and wait until it answers."""
        ...

    def kill(self) -> None:
        """Go away at once, as in a crash."""
        ...


@dataclass(slots=True)
class Bench:
    """Made anew for each test; ends its workers afterwards."""

    stack: Stack
    server: Server
    index: Index
    folder: Path
    workers: list[WorkerProcess] = field(default_factory=list)

    @contextmanager
    def captured(
        self,
        shop: PostgresShop | MySqlShop,
        table: str,
        *,
        records: int = 1,
        source: Mapping[str, str] | None = None,
    ) -> Iterator[str]:
        """The topic of a table that Debezium captures, once so many records are in it."""
        connector = shop.capture(table, **(source or {}))
        try:
            topic = connector.topic(f"{shop.table_prefix}.{table}")
            self.stack.kafka.topics.wait_for(topic, records)
            yield topic
        finally:
            self.close()
            self.stack.connect.delete(connector)

    def sink_name(self, topic: str) -> str:
        """Name of the connector that reads a topic."""
        return f"sink-{topic}"

    def progress(self, topic: str) -> int:
        """Sum of the offsets that the connector's group has committed."""
        return sum(committed(self.stack, f"connect-{self.sink_name(topic)}", topic).values())

    def standings(self, topic: str) -> set[str | None]:
        """What the group's commits say of who made them, without the time of his last write."""
        found = commits(self.stack, f"connect-{self.sink_name(topic)}", topic)
        return {metadata and metadata.partition(" ")[0] for _, metadata in found.values()}

    def assert_no_commit_ahead(self, topic: str) -> None:
        """No committed offset promises what the index does not hold."""
        assert_no_commit_ahead_of_the_index(
            self.stack, self.index, group=f"connect-{self.sink_name(topic)}", topic=topic
        )

    def config(
        self, topic: str, fields: str, metadata: str, more: Mapping[str, str]
    ) -> dict[str, str]:
        """A connector's JSON; ``more`` adds or replaces keys."""
        config = {
            "name": self.sink_name(topic),
            "connector.class": "EmbeddingSink",
            "topics": topic,
            "key.converter": "io.confluent.connect.avro.AvroConverter",
            "key.converter.schema.registry.url": self.stack.registry.url,
            "value.converter": "io.confluent.connect.avro.AvroConverter",
            "value.converter.schema.registry.url": self.stack.registry.url,
            "document.fields": fields,
            "metadata.fields": metadata,
            "embedder": "fake",
            "embedder.dimensions": str(DIMENSIONS),
            "errors.tolerance": "all",
        }
        return config | dict(self.index.settings) | dict(more)

    def worker(
        self, topic: str, fields: str, metadata: str, more: Mapping[str, str] | None = None
    ) -> WorkerProcess:
        """A worker that is not started yet."""
        config = self.config(topic, fields, metadata, more or {})
        worker = WorkerProcess(self.folder, self.stack, config, f"w{len(self.workers)}")
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        """End what still runs."""
        for worker in self.workers:
            worker.close()
