"""The demo's recording is what its shop's script says, in Debezium's own bytes."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest

from tests.stack.demo_changes import CHANGES, Delete, Insert
from tests.stack.demo_products import products
from worker.demo.recording import Recording, load


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load()


def test_the_snapshot_has_every_product_once(recording: Recording) -> None:
    rows = [_decoded(recording, record.value) for record in recording.snapshot]
    assert {row["op"] for row in rows} == {"r"}
    found = {row["after"]["id"]: row["after"] for row in rows}
    assert len(found) == len(rows) == 200
    for product in products():
        after = found[product.id]
        assert after["description"] == product.description
        assert after["price"] == product.price
        assert json.loads(after["attributes"]) == product.attributes


def test_the_changes_come_in_the_order_of_the_script(recording: Recording) -> None:
    found = [
        ("tombstone" if record.value is None else _decoded(recording, record.value)["op"],
         _decoded(recording, record.key)["id"])
        for record in recording.changes
    ]  # fmt: skip
    expected: list[tuple[str, int]] = []
    for change in CHANGES:
        if isinstance(change, Insert):
            expected.append(("c", change.product.id))
        elif isinstance(change, Delete):
            expected += [("d", change.id), ("tombstone", change.id)]
        else:
            expected.append(("u", change.id))
    assert found == expected


def test_offsets_of_each_partition_are_without_gaps(recording: Recording) -> None:
    next_offsets = dict.fromkeys(range(recording.partitions), 0)
    for record in (*recording.snapshot, *recording.changes):
        assert record.topic == recording.topic
        assert record.offset == next_offsets[record.partition]
        next_offsets[record.partition] += 1


def _decoded(recording: Recording, data: bytes | None) -> dict[str, Any]:
    assert data is not None
    schema = json.loads(recording.schemas[int.from_bytes(data[1:5])])
    decoded = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    assert isinstance(decoded, dict)
    return decoded
