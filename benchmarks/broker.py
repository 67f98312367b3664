"""A real broker for one run, with topics that hold the rows to be read."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from tests.stack.java import require_java
from tests.stack.kafka import Kafka
from tests.stack.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.rows import Rows
    from worker.model import Record

_SERVE_EVERY = 1_000


@contextmanager
def broker() -> Iterator[Kafka]:
    """Kafka on a free port, gone afterwards with all its data."""
    require_java()
    with TemporaryDirectory(prefix="vecsink-bench-") as folder:
        kafka = Kafka(Path(folder), *free_ports(2))
        try:
            kafka.start()
            yield kafka
        finally:
            kafka.stop()


def fill(kafka: Kafka, rows: Rows, partitions: int = 1) -> None:
    """Make the topic and write the rows to its partitions, by key."""
    # The rows are older than the week after which Kafka would begin to delete them.
    kafka.topics.create(rows.topic, partitions=partitions, retention_ms="-1")
    append(kafka, rows.records())


def append(kafka: Kafka, records: Iterable[Record]) -> None:
    """Write records to the end of their topics."""
    settings = {"bootstrap.servers": kafka.bootstrap, "linger.ms": 50, "batch.size": 262_144}
    producer = Producer({**settings, "queue.buffering.max.messages": 20 * _SERVE_EVERY})
    for number, record in enumerate(records, start=1):
        producer.produce(record.topic, record.value, record.key, timestamp=record.timestamp_ms or 0)
        while number % _SERVE_EVERY == 0 and len(producer) > 10 * _SERVE_EVERY:
            producer.poll(0.01)
    if producer.flush(60):
        raise TimeoutError("the broker did not take all rows")
