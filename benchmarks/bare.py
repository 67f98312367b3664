"""The bare loop: consume a topic and decode its values with fastavro, nothing else.

python -m benchmarks.bare BOOTSTRAP TOPIC ROWS
"""

from __future__ import annotations

import io
import sys
import uuid
from typing import TYPE_CHECKING

import fastavro
from confluent_kafka import Consumer

from benchmarks.child import Figures, answer
from benchmarks.meters import Collector, Moment
from benchmarks.rows import VALUE_SCHEMA

if TYPE_CHECKING:
    from confluent_kafka import Message

_HEADER_BYTES = 5
_FETCH = 1_000


class BareLoop:
    """Reads a topic from its beginning, with the worker's own settings of librdkafka."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._schema = fastavro.parse_schema(VALUE_SCHEMA)
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"bare-{uuid.uuid4()}",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "queued.max.messages.kbytes": 16_384,
                "isolation.level": "read_committed",
            }
        )
        self._consumer.subscribe([topic])

    def run(self, rows: int) -> Figures:
        """Read and decode so many rows."""
        messages: list[Message] = []
        while not messages:
            messages = self._consumer.consume(_FETCH, 0.01)
        began, read = Moment.now(), 0
        while True:
            for message in messages:
                self._decode(message)
            read += len(messages)
            if read >= rows:
                break
            messages = self._consumer.consume(_FETCH, 0.01)
        ended = Moment.now()
        self._consumer.close()
        return Figures.of(read, began, ended)

    def _decode(self, message: Message) -> None:
        value = message.value()
        if value is None:
            raise ValueError("the topic holds a tombstone")
        stream = io.BytesIO(value)
        stream.seek(_HEADER_BYTES)
        fastavro.schemaless_reader(stream, self._schema, None)


if __name__ == "__main__":
    address, name, count = sys.argv[1:]
    Collector.watch()
    answer(BareLoop(address, name).run(int(count)))
