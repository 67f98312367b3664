"""Real Debezium records, with the SQL literals that their rows hold.

Recorded by ``python -m tests.stack.record_samples``. Each ``<name>.json`` is one sample::

    {"columns": [{"name": "c_int", "type": "integer", "literals": ["12", "NULL", "-1"]}],
     "rows": {"1": 0, "2": 1, "3": 2, "11": 0},          # id of a row -> which literal it has
     "records": [{"topic": …, "partition": …, "offset": …, "timestamp_ms": …,
                  "key": base64 or null, "value": base64 or null, "headers": [[name, base64]]}]}

``schemas.json`` has the registry's schemas of all samples by their id.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the literals it was given, one per kind of row."""

    name: str
    sql_type: str
    literals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Records in the order of topic, partition and offset."""

    records: tuple[Record, ...]
    columns: tuple[Column, ...]
    """The columns of the table, for samples that compare every type."""
    rows: Mapping[int, int]
    """Which of a column's literals the row with this id was inserted with."""

    def literal(self, row_id: int, column: str) -> str:
        """The literal that a row's column was inserted with."""
        found = next(each for each in self.columns if each.name == column)
        return found.literals[self.rows[row_id]]


def names() -> list[str]:
    """All samples."""
    return sorted(file.stem for file in FOLDER.glob("*.json") if file.stem != "schemas")


def load(name: str) -> Sample:
    """One sample."""
    content = json.loads((FOLDER / f"{name}.json").read_text())
    columns = (
        Column(each["name"], each["type"], tuple(each["literals"])) for each in content["columns"]
    )
    rows = {int(row_id): kind for row_id, kind in content["rows"].items()}
    return Sample(tuple(map(_record, content["records"])), tuple(columns), rows)


def schemas() -> dict[int, Any]:
    """The parsed JSON of every schema, by its id in the registry."""
    content = json.loads((FOLDER / "schemas.json").read_text())
    return {int(schema_id): schema for schema_id, schema in content.items()}


def _record(fields: Mapping[str, Any]) -> Record:
    return Record(
        topic=fields["topic"],
        partition=fields["partition"],
        offset=fields["offset"],
        key=_bytes(fields["key"]),
        value=_bytes(fields["value"]),
        headers=tuple((name, _bytes(value)) for name, value in fields["headers"]),
        timestamp_ms=fields["timestamp_ms"],
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
