"""What each step of the engine costs per row, beside the bare loop in the same process.

python -m benchmarks.steps BOOTSTRAP TOPIC ROWS ROUNDS
"""

from __future__ import annotations

import gc
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.bare import BareLoop
from benchmarks.child import answer
from benchmarks.rows import FIELDS, KEY_ID, KEY_SCHEMA, METADATA, VALUE_ID, VALUE_SCHEMA, Rows
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, PartSettings
from worker.decode.local_registry import LocalRegistry
from worker.decode.part import Part, PartSchemaNeeded
from worker.decode.registry_http import RegistrySettings
from worker.document.builder import DocumentBuilder
from worker.document.spec import parse_spec
from worker.flow.backlog import Backlog
from worker.flow.entry import Entry
from worker.flow.ledger import Ledger
from worker.model import Change, ModelId, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.model import Record

_POLL = 1_000
_BATCH = 288
_BATCH_BYTES = 2 << 20


class Steps:
    """The steps, over the same records."""

    def __init__(self, registry: str, bootstrap: str, topic: str, rows: int) -> None:
        self._place = (bootstrap, topic)
        self._records = list(Rows(rows, topic).records())
        spec = parse_spec(fields=FIELDS, metadata=METADATA)
        self._documents = DocumentBuilder(spec, ModelId("fake", "fake", 384))
        part = PartSettings(registry=RegistrySettings(urls=(registry,)))
        self._decoder = DebeziumDecoder(DecoderSettings(part, part, self._documents.columns))
        self._decoder.load(PartSchemaNeeded(KEY_ID, topic, Part.KEY))
        self._decoder.load(PartSchemaNeeded(VALUE_ID, topic, Part.VALUE))
        self._changes = [self._change(record) for record in self._records]
        gc.freeze()  # what is kept here for the measurement is no part of what is measured

    def round(self) -> dict[str, float]:
        """CPU µs per row of each, one after the other."""
        return {
            "bare loop": BareLoop(*self._place).run(len(self._records)).cpu_us,
            "decode": self._cpu_us(self._decode),
            "document": self._cpu_us(self._build),
            "backlog + ledger": self._cpu_us(self._flow),
        }

    def close(self) -> None:
        self._decoder.close()

    def _cpu_us(self, step: Callable[[], None]) -> float:
        before_s = time.process_time()
        step()
        return (time.process_time() - before_s) / len(self._records) * 1e6

    def _change(self, record: Record) -> Change:
        change = self._decoder.decode(record)
        assert isinstance(change, Change)
        return change

    def _decode(self) -> None:
        for record in self._records:
            self._decoder.decode(record)

    def _build(self) -> None:
        for change in self._changes:
            self._documents.build(change)

    def _flow(self) -> None:
        """As the task does it: polls of many, batches out, batches back."""
        ledger, backlog = Ledger(), Backlog()
        partition = ledger.open(TopicPartition(self._records[0].topic, 0))
        for start in range(0, len(self._changes), _POLL):
            for change in self._changes[start : start + _POLL]:
                partition.receive(change.record.offset)
                backlog.add(Entry(change, partition, 0.0))
            _land(backlog)
        assert partition.next_offset == len(self._changes)


def _land(backlog: Backlog) -> None:
    while batch := backlog.take(_BATCH, _BATCH_BYTES):
        for work in batch:
            backlog.finish(work)
            for entry in work.entries:
                entry.ledger.finish(entry.change.record.offset)


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Per step: CPU µs per row, and its ratio to the bare loop of the same round."""
    return {
        step: {
            "cpu_us": median(found[step] for found in rounds),
            "ratio": median(found[step] / found["bare loop"] for found in rounds),
        }
        for step in rounds[0]
    }


def main(bootstrap: str, topic: str, rows: int, rounds: int) -> None:
    """Measure and answer."""
    schemas = {KEY_ID: json.dumps(KEY_SCHEMA), VALUE_ID: json.dumps(VALUE_SCHEMA)}
    with LocalRegistry(schemas) as registry:
        steps = Steps(registry.url, bootstrap, topic, rows)
        answer(medians([steps.round() for _ in range(rounds)]))
        steps.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
