"""The whole engine over topics in memory, for machines without Kafka."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from benchmarks.engine import MeteredIndex, TimedSource, connector, run
from benchmarks.rows import KEY_ID, KEY_SCHEMA, VALUE_ID, VALUE_SCHEMA
from worker.build import Assembly
from worker.decode.local_registry import LocalRegistry
from worker.noting import Notes
from worker.source.memory import MemorySource
from worker.source.memory_broker import MemoryBroker
from worker.source.subscription import Subscription
from worker.statehouse import Statehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.child import Figures
    from benchmarks.rows import Rows
    from worker.source.kafka import KafkaSource


@dataclass(frozen=True, slots=True)
class MemoryAssembly(Assembly):
    """The worker's own assembly; each of its tasks reads a broker in memory."""

    broker: MemoryBroker

    def _source(self, number: int) -> KafkaSource:
        del number
        subscription = Subscription(self.config.subscription)
        source = MemorySource(self.broker, self.config.group_id, subscription)
        timed = TimedSource(cast("KafkaSource", source))
        cast("MeteredIndex", self.index).sources.append(timed)
        return cast("KafkaSource", timed)


def filled(rows: Rows) -> MemoryBroker:
    """A broker that has these rows."""
    broker = MemoryBroker()
    for record in rows.records():
        broker.produce(record.topic, record.key, record.value, timestamp_ms=record.timestamp_ms)
    return broker


class MemoryEngine:
    """Runs the same rows through the engine as often as wanted, each time into a new store."""

    def __init__(self, rows: Rows, registry: str) -> None:
        self._rows = rows
        self._registry = registry
        self._broker = filled(rows)

    def run(self, keys: Mapping[str, str]) -> Figures:
        """All rows once; ``keys`` are the connector's, of the embedder at least."""
        worker, config = connector("memory:9092", self._rows.topic, self._registry, keys)
        state = Statehouse(worker, config)
        index = MeteredIndex(config)
        notes = Notes(config, state, index)
        assembly = MemoryAssembly(worker, config, index, state, None, notes, self._broker)
        try:
            return run(assembly, self._rows.count)
        finally:
            assembly.close()


@contextmanager
def memory_engine(rows: Rows) -> Iterator[MemoryEngine]:
    """With a schema registry beside it."""
    schemas = {KEY_ID: json.dumps(KEY_SCHEMA), VALUE_ID: json.dumps(VALUE_SCHEMA)}
    with LocalRegistry(schemas) as registry:
        yield MemoryEngine(rows, registry.url)
