"""A recording of real Debezium traffic for the demo: a shop's products and one day of changes.

It was made with Postgres 18, Debezium's Postgres connector on Kafka Connect, Confluent's Avro
converter and a schema registry, by ``python -m tests.stack.record_demo``: a snapshot of 200 rows
of ``public.products``, then twelve inserts, fifteen updates and six deletes. Nothing in the bytes
was changed afterwards.

``recording/records.jsonl.gz`` begins with a line of facts; every other line is one record as
``[partition, offset, timestamp_ms, key, value, [[header, value] …]]`` with bytes in base64, in the
order in which Kafka got them. ``recording/schemas.json`` has the registry's schemas by their id.
"""

from __future__ import annotations

import base64
import gzip
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson

from worker.immutable import immutable
from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Mapping


@immutable
class Recording:
    """What Kafka and the schema registry had."""

    topic: str
    partitions: int
    snapshot: tuple[Record, ...]
    """The rows that were there, as ``r``."""
    changes: tuple[Record, ...]
    """What happened then, as ``c``, ``u`` and ``d``, each delete followed by its tombstone."""
    schemas: Mapping[int, str]
    """Avro schemas as JSON text, by their id in the registry."""


def load() -> Recording:
    """Read the recording that comes with the package."""
    folder = files("worker.demo") / "recording"
    packed = (folder / "records.jsonl.gz").read_bytes()
    facts, *records = map(orjson.loads, gzip.decompress(packed).splitlines())
    schemas = orjson.loads((folder / "schemas.json").read_bytes())
    everything = tuple(_record(facts["topic"], fields) for fields in records)
    return Recording(
        topic=facts["topic"],
        partitions=facts["partitions"],
        snapshot=everything[: facts["snapshot"]],
        changes=everything[facts["snapshot"] :],
        schemas={int(key): orjson.dumps(schema).decode() for key, schema in schemas.items()},
    )


def _record(topic: str, fields: list[Any]) -> Record:
    partition, offset, timestamp_ms, key, value, headers = fields
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        key=_bytes(key),
        value=_bytes(value),
        headers=tuple((name, _bytes(data)) for name, data in headers),
        timestamp_ms=timestamp_ms,
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
