"""Rows of a table with twenty columns, as Debezium's Postgres connector would send them in Avro."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro

from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPIC = "bench.public.products"
KEY_ID, VALUE_ID = 1, 2
TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
FIELDS = "Product: name, Category: category, description"
METADATA = "price, in_stock"

_WORDS = [
    "light",
    "warm",
    "sturdy",
    "quiet",
    "bright",
    "folding",
    "leather",
    "steel",
    "cotton",
    "oak",
    "travel",
    "garden",
    "kitchen",
    "office",
    "winter",
    "summer",
    "outdoor",
    "compact",
    "wireless",
    "classic",
    "modern",
    "handmade",
    "recycled",
    "waterproof",
    "soft",
]


def _optional(kind: object) -> dict[str, Any]:
    return {"type": ["null", kind], "default": None}


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "connect.version": 1, "connect.name": name}


_DECIMAL = {
    "type": "bytes",
    "scale": 2,
    "precision": 10,
    "connect.name": "org.apache.kafka.connect.data.Decimal",
    "logicalType": "decimal",
}
_COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"type": "long"},
    "sku": {"type": "string"},
    "name": {"type": "string"},
    "category": _optional("string"),
    "description": _optional("string"),
    "brand": _optional("string"),
    "price": _optional(_DECIMAL),
    "cost": _optional(_DECIMAL),
    "weight": _optional("double"),
    "width": _optional("int"),
    "height": _optional("int"),
    "depth": _optional("int"),
    "stock": _optional("int"),
    "in_stock": _optional("boolean"),
    "rating": _optional("double"),
    "supplier_id": _optional("long"),
    "ean": _optional("string"),
    "external_id": _optional(_named("string", "io.debezium.data.Uuid")),
    "released": _optional(_named("int", "io.debezium.time.Date")),
    "updated_at": _optional(_named("string", "io.debezium.time.ZonedTimestamp")),
}
_SOURCE = {
    "type": "record",
    "name": "Source",
    "namespace": "io.debezium.connector.postgresql",
    "fields": [
        {"name": "version", "type": "string"},
        {"name": "connector", "type": "string"},
        {"name": "name", "type": "string"},
        {"name": "ts_ms", "type": "long"},
        {"name": "snapshot", "type": ["string", "null"], "default": "false"},
        {"name": "db", "type": "string"},
        {"name": "sequence", **_optional("string")},
        {"name": "ts_us", **_optional("long")},
        {"name": "ts_ns", **_optional("long")},
        {"name": "schema", "type": "string"},
        {"name": "table", "type": "string"},
        {"name": "txId", **_optional("long")},
        {"name": "lsn", **_optional("long")},
        {"name": "xmin", **_optional("long")},
    ],
}
_ROW = {
    "type": "record",
    "name": "Value",
    "fields": [{"name": name, **kind} for name, kind in _COLUMNS.items()],
}
VALUE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Envelope",
    "namespace": TOPIC,
    "connect.version": 2,
    "connect.name": f"{TOPIC}.Envelope",
    "fields": [
        {"name": "before", "type": ["null", _ROW], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {"name": "source", "type": _SOURCE},
        {
            "name": "transaction",
            **_optional(
                {
                    "type": "record",
                    "name": "block",
                    "namespace": "event",
                    "fields": [
                        {"name": "id", "type": "string"},
                        {"name": "total_order", "type": "long"},
                        {"name": "data_collection_order", "type": "long"},
                    ],
                }
            ),
        },
        {"name": "op", "type": "string"},
        {"name": "ts_ms", **_optional("long")},
        {"name": "ts_us", **_optional("long")},
        {"name": "ts_ns", **_optional("long")},
    ],
}
KEY_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Key",
    "namespace": TOPIC,
    "fields": [{"name": "id", "type": "long"}],
}


MARK = b"@@@@@@@"
"""Stands in the encoded rows for a number of seven digits, so that a million rows are quick."""


def encoded(schema: dict[str, Any], schema_id: int, datum: dict[str, Any]) -> bytes:
    """Confluent's wire format."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), datum)
    return b"\x00" + schema_id.to_bytes(4, "big") + body.getvalue()


@dataclass(frozen=True)
class Rows:
    """So many changes of at most ``keys`` rows; each change has a text of its own."""

    count: int
    topic: str = TOPIC
    keys: int = 20_000
    words: int = 60
    """On average, in the text; from a third of it to five thirds."""

    def records(self) -> Iterator[Record]:
        """Creates, in order of offset, in a single partition."""
        keys = [encoded(KEY_SCHEMA, KEY_ID, {"id": n}) for n in range(min(self.keys, self.count))]
        values = [encoded(VALUE_SCHEMA, VALUE_ID, self._envelope(n)) for n in range(len(keys))]
        for number in range(self.count):
            row = number % len(keys)
            yield Record(
                topic=self.topic,
                partition=0,
                offset=number,
                key=keys[row],
                value=values[row].replace(MARK, b"%07d" % number),
                timestamp_ms=1_700_000_000_000 + number,
                topic_id=TOPIC_ID,
            )

    def updates(self) -> Iterator[Record]:
        """An update of each row, as often as it was created, that leaves its text alone."""
        for record in self.records():
            number = record.offset
            changed = {**self._row(number % self.keys), "price": Decimal(1), "stock": 0}
            envelope = {**self._envelope(number), "after": changed, "op": "u"}
            value = encoded(VALUE_SCHEMA, VALUE_ID, envelope).replace(MARK, b"%07d" % number)
            yield replace(record, value=value)

    def texts(self) -> list[str]:
        """The texts that the documents of these changes have."""
        return [
            f"Product: {row['name']}\nCategory: {row['category']}\n{row['description']}".replace(
                MARK.decode(), f"{number:07d}"
            )
            for number in range(self.count)
            for row in [self._row(number % self.keys)]
        ]

    def _envelope(self, number: int) -> dict[str, Any]:
        at_ms = 1_700_000_000_000 + number
        source = {
            "version": "3.6.3.Final",
            "connector": "postgresql",
            "name": "bench",
            "ts_ms": at_ms,
            "snapshot": "false",
            "db": "shop",
            "sequence": f'["{number}","{number + 1}"]',
            "ts_us": at_ms * 1000,
            "ts_ns": at_ms * 1_000_000,
            "schema": "public",
            "table": "products",
            "txId": number,
            "lsn": 24_000_000 + number * 56,
        }
        return {"after": self._row(number), "source": source, "op": "c", "ts_ms": at_ms + 5}

    def _row(self, number: int) -> dict[str, Any]:
        length = max(4, self.words * (33 + number * 37 % 134) // 100)
        words = [_WORDS[(number * 7 + i * i + i * number) % len(_WORDS)] for i in range(length)]
        return {
            "id": number,
            "sku": f"SKU-{number:08d}",
            "name": f"{words[0]} {words[1]} thing {MARK.decode()}",
            "category": words[2],
            "description": " ".join(words),
            "brand": words[3],
            "price": Decimal(number % 9_999) / 4,
            "weight": number / 7,
            "width": number % 300,
            "height": number % 200,
            "stock": number % 50,
            "in_stock": number % 50 > 0,
            "supplier_id": number % 1_000,
            "ean": f"{4_000_000_000_000 + number}",
            "external_id": f"00000000-0000-4000-8000-{number:012d}",
            "released": 19_000 + number % 900,
            "updated_at": "2026-11-20T10:00:00.123456Z",
        }
