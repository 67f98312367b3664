"""Debezium's Avro schemas and records as its converters write them, made by hand."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro

from worker.clock import FakeClock
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.decode.port import NotARow, SchemaNeeded
from worker.decode.registry_http import RegistrySettings
from worker.model import Change, Headers, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.decode.local_registry import LocalRegistry

TOPIC = "shop.public.products"
KEY_ID, VALUE_ID = 1, 2


def optional(kind: Any) -> list[Any]:
    return ["null", kind]


def connect(base: str, name: str, **extra: Any) -> dict[str, Any]:
    return {"type": base, "connect.version": 1, "connect.name": name, **extra}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {
        "type": "bytes",
        "scale": scale,
        "precision": precision,
        "logicalType": "decimal",
        "connect.version": 1,
        "connect.parameters": {"scale": str(scale), "connect.decimal.precision": str(precision)},
        "connect.name": "org.apache.kafka.connect.data.Decimal",
    }


def fields(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": kind, **({"default": None} if isinstance(kind, list) else {})}
        for name, kind in columns.items()
    ]


SNAPSHOT = {
    **connect("string", "io.debezium.data.Enum", **{"connect.default": "false"}),
    "connect.parameters": {"allowed": "true,first,last,false,incremental"},
}

POSTGRES_SOURCE = {
    "type": "record",
    "name": "Source",
    "namespace": "io.debezium.connector.postgresql",
    "fields": [
        *fields({"version": "string", "connector": "string", "name": "string", "ts_ms": "long"}),
        {"name": "snapshot", "type": [SNAPSHOT, "null"], "default": "false"},
        *fields({"db": "string", "sequence": optional("string")}),
        *fields({"ts_us": optional("long"), "ts_ns": optional("long")}),
        *fields({"schema": "string", "table": "string"}),
        *fields({name: optional("long") for name in ("txId", "lsn", "xmin")}),
        *fields({"origin": optional("string"), "origin_lsn": optional("long")}),
    ],
    "connect.name": "io.debezium.connector.postgresql.Source",
}

MYSQL_SOURCE = {
    "type": "record",
    "name": "Source",
    "namespace": "io.debezium.connector.mysql",
    "fields": [
        *fields({"version": "string", "connector": "string", "name": "string", "ts_ms": "long"}),
        {"name": "snapshot", "type": [SNAPSHOT, "null"], "default": "false"},
        *fields({"db": "string", "sequence": optional("string"), "table": optional("string")}),
        *fields({"server_id": "long", "gtid": optional("string"), "file": "string"}),
        *fields({"pos": "long", "row": "int", "thread": optional("long")}),
    ],
    "connect.name": "io.debezium.connector.mysql.Source",
}

TRANSACTION = {
    "type": "record",
    "name": "block",
    "namespace": "event",
    "fields": fields({"id": "string", "total_order": "long", "data_collection_order": "long"}),
    "connect.name": "event.block",
}


def struct(columns: Mapping[str, Any], name: str, topic: str = TOPIC) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "namespace": topic,
        "fields": fields(columns),
        "connect.name": f"{topic}.{name}",
    }


def envelope_schema(
    columns: Mapping[str, Any], source: Any = POSTGRES_SOURCE, topic: str = TOPIC
) -> dict[str, Any]:
    """``before`` defines the row and ``after`` refers to it by name, as in Debezium."""
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": topic,
        "fields": [
            {"name": "before", "type": ["null", struct(columns, "Value", topic)], "default": None},
            {"name": "after", "type": ["null", "Value"], "default": None},
            {"name": "source", "type": source},
            {"name": "transaction", "type": ["null", TRANSACTION], "default": None},
            {"name": "op", "type": "string"},
            *fields({name: optional("long") for name in ("ts_ms", "ts_us", "ts_ns")}),
        ],
        "connect.version": 2,
        "connect.name": f"{topic}.Envelope",
    }


def postgres_source(**changed: Any) -> dict[str, Any]:
    source = {
        "version": "3.6.3.Final",
        "connector": "postgresql",
        "name": "shop",
        "ts_ms": 1_700_000_000_000,
        "snapshot": "false",
        "db": "shop",
        "sequence": '["24023119","24023128"]',
        "ts_us": 1_700_000_000_000_000,
        "ts_ns": 1_700_000_000_000_000_000,
        "schema": "public",
        "table": "products",
        "txId": 555,
        "lsn": 24_023_128,
        "xmin": None,
        "origin": None,
        "origin_lsn": None,
    }
    return {**source, **changed}


def mysql_source(**changed: Any) -> dict[str, Any]:
    source = {
        "version": "3.6.1.Final",
        "connector": "mysql",
        "name": "shop",
        "ts_ms": 1_700_000_000_000,
        "snapshot": "false",
        "db": "inventory",
        "sequence": None,
        "table": "products",
        "server_id": 1,
        "gtid": None,
        "file": "binlog.000012",
        "pos": 1234,
        "row": 0,
        "thread": None,
    }
    return {**source, **changed}


def envelope(
    op: str, after: Any = None, before: Any = None, source: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "source": source or postgres_source(),
        "transaction": None,
        "op": op,
        "ts_ms": 1,
        "ts_us": 1,
        "ts_ns": 1,
    }


def framed(schema_id: int, schema: Any, datum: Any) -> bytes:
    stream = BytesIO(b"\x00" + schema_id.to_bytes(4, "big"))
    stream.seek(5)
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), datum)
    return stream.getvalue()


def record(
    key: bytes | None, value: bytes | None, headers: Headers = (), topic: str = TOPIC
) -> Record:
    return Record(topic, 0, 7, key, value, headers, topic_id="t")


def settings(
    registry: LocalRegistry,
    columns: frozenset[str] | None = None,
    unavailable_value: str = "__debezium_unavailable_value",
) -> DecoderSettings:
    part = PartSettings(Format.AVRO, registry=RegistrySettings((registry.url,)))
    return DecoderSettings(part, part, columns, unavailable_value)


def decoded(decoder: DebeziumDecoder, incoming: Record) -> Change | NotARow:
    """Decode, loading what is needed on the way, as the pipeline does."""
    for _ in range(5):
        try:
            return decoder.decode(incoming)
        except SchemaNeeded as needed:
            decoder.load(needed)
    raise AssertionError("it asks for schemas without end")


def row_change(decoder: DebeziumDecoder, incoming: Record) -> Change:
    change = decoded(decoder, incoming)
    assert isinstance(change, Change)
    return change


def decoder_for(
    registry: LocalRegistry,
    columns: frozenset[str] | None = None,
    clock: FakeClock | None = None,
) -> DebeziumDecoder:
    return DebeziumDecoder(settings(registry, columns), clock or FakeClock())


def put(registry: LocalRegistry, schema_id: int, schema: Any, subject: str | None = None) -> None:
    registry.schemas[schema_id] = json.dumps(schema)
    if subject is not None:
        registry.subjects.setdefault(subject, []).append(schema_id)
