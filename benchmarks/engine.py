"""The whole engine: what ``vecsink run`` does, on a topic and a connector of the benchmark.

python -m benchmarks.engine BOOTSTRAP TOPIC ROWS EMBEDDER
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from benchmarks.child import Figures, answer
from benchmarks.meters import Collector, Meter, MeteredEmbedder, MeteredStore, Moment
from benchmarks.rows import FIELDS, KEY_ID, KEY_SCHEMA, METADATA, VALUE_ID, VALUE_SCHEMA, Rows
from worker.build import Assembly
from worker.clock import SystemClock
from worker.config.load_worker import load_worker
from worker.config.read import Surroundings, read_connector
from worker.decode.local_registry import LocalRegistry
from worker.embed.port import Purpose
from worker.index import Index
from worker.noting import Notes
from worker.runtime.collector import calm_collector
from worker.statehouse import Statehouse
from worker.store.measured import MeasuredStore
from worker.throttle.accounts import Accounts
from worker.treasury import Counting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.pipeline.goal import Goal
    from worker.pipeline.task import Task
    from worker.source.kafka import KafkaSource
    from worker.source.port import Polled


_WARMING_TEXTS = 64
"""``encode`` is warmed up with 32 to 128, by its batch size."""


class MeteredIndex(Index):
    """Embedder and store of the connector, warmed up, their cost kept apart."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config, Accounts(SystemClock()), Counting())
        self.meter = Meter()
        self.sources: list[TimedSource] = []

    @cached_property
    def embedder(self) -> MeteredEmbedder:
        made = super().embedder
        made.embed(Rows(_WARMING_TEXTS).texts(), Purpose.DOCUMENT)
        return MeteredEmbedder(made, self.meter)

    @cached_property
    def store(self) -> MeasuredStore:
        made = super().store
        return MeasuredStore(MeteredStore(made, self.meter), made.name)


class TimedSource:
    """A source that remembers when its first records came."""

    def __init__(self, source: KafkaSource) -> None:
        self._source = source
        self.began: Moment | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        return getattr(self._source, name)

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        polled = self._source.poll(max_records, timeout_s)
        if polled.records and self.began is None:
            self.began = Moment.now()
        return polled


class BenchAssembly(Assembly):
    """The worker's own assembly, with a timed source."""

    def _source(self, number: int) -> KafkaSource:
        timed = TimedSource(super()._source(number))
        cast("MeteredIndex", self.index).sources.append(timed)
        return cast("KafkaSource", timed)


class Finished:
    """Stands in for ``Goal``: so many rows have their outcome."""

    def __init__(self, task: Task, rows: int) -> None:
        self._task = task
        self._rows = rows
        self.ended: Moment | None = None

    def look_now(self) -> None:
        """It looks at every turn."""

    def is_reached(self) -> bool:
        if self._task.counters.finished < self._rows:
            return False
        self.ended = Moment.now()
        return True


def connector(
    bootstrap: str, topic: str, registry: str, keys: Mapping[str, str]
) -> tuple[WorkerConfig, ConnectorConfig]:
    """A connector on this topic into the memory store, as its JSON would make it."""
    values = {
        "name": f"bench-{uuid.uuid4()}",
        "connector.class": "EmbeddingSink",
        "topics": topic,
        "key.converter": "avro",
        "key.converter.schema.registry.url": registry,
        "value.converter": "avro",
        "value.converter.schema.registry.url": registry,
        "document.fields": FIELDS,
        "metadata.fields": METADATA,
        "store": "memory",
        **keys,
    }
    worker = load_worker(environ={"CONNECT_BOOTSTRAP_SERVERS": bootstrap}).require()
    reading = read_connector(values, Surroundings(worker))
    if reading.config is None:
        raise ValueError(f"the benchmark's connector is wrong: {reading.problems}")
    return worker, reading.config


def run(assembly: Assembly, rows: int) -> Figures:
    """Read and write so many rows."""
    calm_collector()  # as vecsink run does, before a model is loaded
    (spec,) = assembly.specs(until_caught_up=False)
    task = spec.make(threading.Event()).task
    index = cast("MeteredIndex", assembly.index)
    before_s = index.meter.seconds
    finished = Finished(task, rows)
    Collector.watch()
    task.run(threading.Event(), cast("Goal", finished))
    began, ended = index.sources[0].began, finished.ended
    first_s = index.embedder.first_s
    assert began is not None
    assert ended is not None
    assert first_s is not None
    kept_apart_s = index.meter.seconds - before_s
    return Figures.of(rows, began, ended, kept_apart_s, first_s - began.wall_s)


def main(bootstrap: str, topic: str, rows: int, embedder: str) -> None:
    """Run once and answer."""
    schemas = {KEY_ID: json.dumps(KEY_SCHEMA), VALUE_ID: json.dumps(VALUE_SCHEMA)}
    with LocalRegistry(schemas) as registry:
        worker, config = connector(bootstrap, topic, registry.url, {"embedder": embedder})
        state = Statehouse(worker, config)
        index = MeteredIndex(config)
        notes = Notes(config, state, index)
        assembly = BenchAssembly(worker, config, index, state, None, notes)
        answer(run(assembly, rows))
        assembly.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
