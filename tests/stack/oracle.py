"""Whether the committed offsets promise more than the index holds, decoded without our own code."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fastavro

from tests.stack.worker_process import committed

if TYPE_CHECKING:
    from tests.stack.index import Index
    from tests.stack.stack import Stack
    from worker.model import Record


@dataclass(frozen=True, slots=True)
class Step:
    """One record of a row's history."""

    partition: int
    offset: int
    removes: bool


def assert_no_commit_ahead_of_the_index(
    stack: Stack, index: Index, *, group: str, topic: str
) -> None:
    """Each committed record is in the index, or a newer one of the same row is.

    For a topic whose rows stay in their partition.
    """
    done = {place.partition: offset for place, offset in committed(stack, group, topic).items()}
    assert done, "nothing was committed, so this would prove nothing"
    stamps = {row: int(point.metadata["_off"]) for row, point in index.points(topic).items()}
    for row, steps in _histories(stack, topic).items():
        covered = [step for step in steps if step.offset < done.get(step.partition, 0)]
        if covered:
            _check(row, covered[-1], steps, stamps.get(row))


def _check(row: str, last: Step, steps: list[Step], stored: int | None) -> None:
    if stored is None:
        gone = [step for step in steps if step.removes and step.offset >= last.offset]
        assert gone, f"row {row}: {last} is committed but not in the index"
        return
    assert stored >= last.offset, f"row {row}: {last} is committed, the index has {stored}"
    assert stored > last.offset or not last.removes, f"row {row}: {last} is committed, still there"


def _histories(stack: Stack, topic: str) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = defaultdict(list)
    for record in stack.kafka.topics.read(topic):
        row = decode(stack, record.key)["id"]
        found[str(row)].append(Step(record.partition, record.offset, _removes(stack, record)))
    return found


def _removes(stack: Stack, record: Record) -> bool:
    return record.value is None or decode(stack, record.value)["op"] == "d"


_schemas: dict[tuple[str, int], Any] = {}


def decode(stack: Stack, data: bytes | None) -> dict[str, Any]:
    """Confluent's wire format, straight through fastavro."""
    assert data is not None
    schema_id = int.from_bytes(data[1:5])
    at = (stack.registry.url, schema_id)
    if at not in _schemas:
        _schemas[at] = fastavro.parse_schema(json.loads(stack.registry.schema(schema_id)))
    decoded = fastavro.schemaless_reader(io.BytesIO(data[5:]), _schemas[at], None)
    assert isinstance(decoded, dict)
    return decoded
