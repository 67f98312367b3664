"""Writes ``schemas/avro`` from what was recorded: ``python -m tests.stack.write_avro_samples``."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import fastavro

from tests.stack.home import REPOSITORY
from tests.unit.decode import samples
from worker.demo import recording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from worker.model import Record

FOLDER = REPOSITORY / "schemas" / "avro"


def main() -> None:
    """One folder per table, with the schemas of key and value and some messages."""
    shop = recording.load()
    known = samples.schemas()
    products = {number: json.loads(schema) for number, schema in shop.schemas.items()}
    write("postgres-one-key-column", [*shop.snapshot[:1], *shop.changes[:5]], products)
    for name in ("postgres", "mysql"):
        records = samples.load(f"{name}_two_keys").records
        rows = [record for record in records if record.topic.endswith(".stock")]
        write(f"{name}-two-key-columns", rows, known)


def write(name: str, records: Iterable[Record], schemas: Mapping[int, Any]) -> None:
    """Write one folder."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    written = list(records)
    valued = next(record for record in written if record.value is not None)
    for part, data in (("key", valued.key), ("value", valued.value)):
        _write_schema(folder / f"{part}.avsc", data, schemas)
    lines = [json.dumps(_message(record, schemas), default=str) for record in written]
    (folder / "messages.jsonl").write_text("\n".join(lines) + "\n")


def _write_schema(file: Path, data: bytes | None, schemas: Mapping[int, Any]) -> None:
    assert data is not None
    file.write_text(json.dumps(schemas[_schema_id(data)], indent=2) + "\n")


def _message(record: Record, schemas: Mapping[int, Any]) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
        "decoded_key": _decoded(record.key, schemas),
        "decoded_value": _decoded(record.value, schemas),
    }


def _decoded(data: bytes | None, schemas: Mapping[int, Any]) -> Any:
    if data is None:
        return None
    schema = fastavro.parse_schema(schemas[_schema_id(data)])
    return fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)


def _schema_id(data: bytes) -> int:
    return int.from_bytes(data[1:5])


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
