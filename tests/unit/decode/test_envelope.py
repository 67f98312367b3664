"""Records to changes: operations, keys, origins, records that are no row."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.unit.decode.conftest import KEY, VALUE
from tests.unit.decode.debezium import (
    KEY_ID,
    MYSQL_SOURCE,
    TOPIC,
    VALUE_ID,
    connect,
    decimal,
    decoded,
    envelope,
    envelope_schema,
    fields,
    framed,
    mysql_source,
    optional,
    postgres_source,
    put,
    record,
    row_change,
    struct,
)
from worker.decode.port import NotARow
from worker.errors import FatalError, RecordError, Stage
from worker.model import Key, Op

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.decode.conftest import NewDecoder
    from worker.decode.decoder import DebeziumDecoder
    from worker.decode.local_registry import LocalRegistry

ROW = {"id": 1, "name": "jacket", "note": None}
ROW_KEY = Key(TOPIC, (("id", 1),))
KEY_BYTES = framed(KEY_ID, KEY, {"id": 1})
ROUTED = "__dbz__physicalTableIdentifier"
TWO = struct({"id": "int", "shop": "int"}, "Two")


def value(op: str, after: Any = None, before: Any = None, source: Any = None) -> bytes:
    return framed(VALUE_ID, VALUE, envelope(op, after, before, source))


@pytest.mark.parametrize("op", [Op.CREATE, Op.UPDATE, Op.READ])
def test_a_row_is_read_with_its_key(op: Op, decoder: DebeziumDecoder) -> None:
    incoming = record(KEY_BYTES, value(op.value, ROW))
    change = row_change(decoder, incoming)
    assert (change.record, change.key, change.op) == (incoming, ROW_KEY, op)
    assert change.after == ROW
    assert (change.unavailable, change.moved_from, change.moves_away) == (frozenset(), None, False)


def test_a_delete_has_no_columns_whatever_before_says(decoder: DebeziumDecoder) -> None:
    for before in (None, ROW):
        change = row_change(decoder, record(KEY_BYTES, value("d", None, before)))
        assert (change.op, change.after, change.key) == (Op.DELETE, {}, ROW_KEY)


def test_a_tombstone_is_known_by_its_key_alone(decoder: DebeziumDecoder) -> None:
    change = row_change(decoder, record(KEY_BYTES, None))
    assert (change.op, change.after, change.key) == (Op.TOMBSTONE, {}, ROW_KEY)


def test_only_the_delete_of_a_key_change_moves_away(decoder: DebeziumDecoder) -> None:
    headers = (("__debezium.newkey", b'{"id":2}'),)
    gone = row_change(decoder, record(KEY_BYTES, value("d"), headers))
    assert (gone.moves_away, gone.moved_to) == (True, Key(TOPIC, (("id", 2),)))
    assert gone.departed_to is None  # its position tells more
    assert not row_change(decoder, record(KEY_BYTES, value("d"))).moves_away
    assert not row_change(decoder, record(KEY_BYTES, None, headers)).moves_away


@pytest.mark.parametrize(
    "header",
    [
        b'{"id":7}',
        b'{"schema":{"type":"struct"},"payload":{"id":7}}',
        framed(KEY_ID, KEY, {"id": 7}),
    ],
)
def test_the_create_of_a_key_change_knows_the_old_key(
    header: bytes, decoder: DebeziumDecoder
) -> None:
    incoming = record(KEY_BYTES, value("c", ROW), (("other", None), ("__debezium.oldkey", header)))
    assert row_change(decoder, incoming).moved_from == Key(TOPIC, (("id", 7),))


@pytest.mark.parametrize(
    "header",
    [b"", b"Struct{id=2}", b"[1]", b'{"other":7}', b"\x00\x00\x00\x00\x63xx", b"\xff\xfe", b"7"],
)
def test_an_old_key_that_cannot_be_read_is_left_out(
    header: bytes, decoder: DebeziumDecoder
) -> None:
    incoming = record(KEY_BYTES, value("c", ROW), (("__debezium.oldkey", header),))
    assert row_change(decoder, incoming).moved_from is None


def test_old_keys_have_the_types_of_the_key_and_its_order(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = struct(
        {
            "amount": decimal(10, 2),
            "day": connect("int", "io.debezium.time.Date"),
            "raw": "bytes",
            "name": "string",
        },
        "Key",
    )
    put(registry, 30, schema)
    old = {"amount": Decimal("1.50"), "day": 3, "raw": b"\x01", "name": 'a"b\nc'}
    key = framed(30, schema, old)
    text = '{"name":"a\\"b\nc","raw":"AQ==","day":3,"amount":1.50}'
    headers = (("__debezium.oldkey", text.encode()),)
    change = row_change(new_decoder(), record(key, value("c", ROW), headers))
    assert change.moved_from == change.key
    assert repr(change.moved_from) == repr(change.key)


@pytest.mark.parametrize("format_of", [orjson.dumps, partial(framed, KEY_ID, KEY)])
def test_old_keys_get_what_a_router_adds_to_keys(
    format_of: Callable[[Any], bytes], registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    put(registry, 30, struct({"id": "int", ROUTED: "string"}, "Key"))
    key = framed(30, struct({"id": "int", ROUTED: "string"}, "Key"), {"id": 1, ROUTED: "shop.a"})
    headers = (("__debezium.oldkey", format_of({"id": 7})),)
    change = row_change(new_decoder(), record(key, value("c", ROW), headers))
    assert change.key == Key(TOPIC, (("id", 1), (ROUTED, "shop.a")))
    assert change.moved_from == Key(TOPIC, (("id", 7), (ROUTED, "shop.a")))


@pytest.mark.parametrize(
    "header", [b'{"id":7,"shop":3}', framed(31, TWO, {"id": 7, "shop": 3})], ids=["text", "avro"]
)
def test_old_keys_lose_what_keys_lost(
    header: bytes, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    put(registry, 31, TWO)
    headers = (("__debezium.oldkey", header),)
    change = row_change(new_decoder(), record(KEY_BYTES, value("c", ROW), headers))
    assert change.moved_from == Key(TOPIC, (("id", 7),))


def test_old_keys_are_plain_where_keys_are(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    put(registry, 30, "int")
    headers = (("__debezium.oldkey", b'{"id":7}'),)
    change = row_change(new_decoder(), record(framed(30, "int", 1), value("c", ROW), headers))
    assert (change.key, change.moved_from) == (
        Key(TOPIC, (("key", 1),)),
        Key(TOPIC, (("key", 7),)),
    )


def test_a_truncate_is_no_row_and_needs_no_key(decoder: DebeziumDecoder) -> None:
    found = decoded(decoder, record(None, value("t")))
    assert isinstance(found, NotARow)
    assert found.kind == "truncate"
    assert (found.origin.table, found.origin.position) == ("products", 24023128)


def test_a_record_without_key_and_value_is_no_row(decoder: DebeziumDecoder) -> None:
    assert decoded(decoder, record(None, None)) == NotARow("empty")


def test_a_row_without_key_stops_the_task_and_says_what_to_do(decoder: DebeziumDecoder) -> None:
    with pytest.raises(FatalError, match=r"shop\.public\.products.*message\.key\.columns"):
        decoded(decoder, record(None, value("c", ROW)))


@pytest.mark.parametrize(("op", "kind"), [("x", "UnknownOp"), ("c", "NoAfter"), ("u", "NoAfter")])
def test_envelopes_without_meaning_are_that_records_fault(
    op: str, kind: str, decoder: DebeziumDecoder
) -> None:
    with pytest.raises(RecordError) as caught:
        decoded(decoder, record(KEY_BYTES, value(op)))
    assert (caught.value.kind, caught.value.stage) == (kind, Stage.VALUE_CONVERTER)


def other(name: str, columns: dict[str, Any]) -> dict[str, Any]:
    namespace, _, short = name.rpartition(".")
    return {
        "type": "record",
        "name": short,
        "namespace": namespace,
        "fields": fields(columns),
        "connect.name": name,
    }


HEARTBEAT = other("io.debezium.connector.common.Heartbeat", {"ts_ms": "long"})
MESSAGE = other(
    "io.debezium.connector.postgresql.MessageValue",
    {"op": "string", "ts_ms": "long", "source": MYSQL_SOURCE, "message": "string"},
)
SCHEMA_CHANGE = other(
    "io.debezium.connector.mysql.SchemaChangeValue",
    {"databaseName": "string", "ddl": optional("string"), "ts_ms": "long"},
)
TRANSACTION_VALUE = other(
    "io.debezium.connector.common.TransactionMetadataValue",
    {"status": "string", "id": "string", "data_collections": optional("string")},
)
NOTIFICATION = other(
    "io.debezium.connector.common.Notification",
    {"id": "string", "aggregate_type": "string", "type": "string", "additional_data": "string"},
)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (HEARTBEAT, "heartbeat"),
        (MESSAGE, "message"),
        (SCHEMA_CHANGE, "schema-change"),
        (TRANSACTION_VALUE, "transaction"),
        (NOTIFICATION, "notification"),
    ],
)
def test_debeziums_own_records_are_told_by_their_shape(
    schema: dict[str, Any], kind: str, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    put(registry, 40, schema)
    assert decoded(new_decoder(), record(None, b"\x00\x00\x00\x00\x28anything")) == NotARow(kind)


def test_a_table_with_the_columns_of_a_heartbeat_is_a_table(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = struct({"ts_ms": "long"}, "Value")
    put(registry, 41, schema)
    change = row_change(new_decoder(), record(KEY_BYTES, framed(41, schema, {"ts_ms": 5})))
    assert change.after == {"ts_ms": 5}


def test_a_flattened_table_may_have_the_columns_of_an_envelope(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = struct({"op": "string", "source": "string", "message": "string"}, "shop.notes.Value")
    put(registry, 42, schema)
    row = {"op": "move", "source": "here", "message": "hello"}
    change = row_change(new_decoder(), record(KEY_BYTES, framed(42, schema, row)))
    assert change.after == row


@pytest.mark.parametrize("primitive", ["string", "bytes", {"type": "array", "items": "int"}])
def test_values_that_are_no_struct_say_what_to_configure(
    primitive: Any, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    put(registry, 42, primitive)
    with pytest.raises(RecordError, match="neither Debezium's envelope nor a row") as caught:
        decoded(new_decoder(), record(KEY_BYTES, b"\x00\x00\x00\x00\x2a\x00"))
    assert caught.value.kind == "NotAnEnvelope"


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [("string", "sku-1", "sku-1"), ("long", 7, 7), (optional("string"), "a", "a")],
)
def test_a_plain_key_is_one_column(
    kind: Any, raw: Any, expected: Any, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    put(registry, 43, kind)
    change = row_change(new_decoder(), record(framed(43, kind, raw), None))
    assert change.key == Key(TOPIC, (("key", expected),))


def test_arrays_in_keys_are_hashable(registry: LocalRegistry, new_decoder: NewDecoder) -> None:
    schema = struct({"tags": {"type": "array", "items": "string"}}, "Key")
    put(registry, 44, schema)
    change = row_change(new_decoder(), record(framed(44, schema, {"tags": ["a", "b"]}), None))
    assert change.key.columns == (("tags", ("a", "b")),)
    assert hash(change.key)


def test_the_origin_of_a_postgres_change(decoder: DebeziumDecoder) -> None:
    origin = row_change(decoder, record(KEY_BYTES, value("c", ROW))).origin
    assert (origin.connector, origin.db, origin.schema, origin.table) == (
        "postgresql",
        "shop",
        "public",
        "products",
    )
    assert (origin.committed_ms, origin.position) == (1_700_000_000_000, 24_023_128)


@pytest.mark.parametrize(
    ("sequence", "position"),
    [('["1","99"]', 99), ('["1",null]', None), ("[]", None), ("garbage", None), (None, None)],
)
def test_incremental_snapshots_have_their_position_in_the_sequence(
    sequence: str | None, position: int | None, decoder: DebeziumDecoder
) -> None:
    source = postgres_source(lsn=None, sequence=sequence, snapshot="incremental")
    change = row_change(decoder, record(KEY_BYTES, value("r", ROW, source=source)))
    assert change.origin.position == position


@pytest.mark.parametrize(
    ("file", "pos", "position"),
    [
        ("binlog.000012", 1234, (12 << 32) + 1234),
        ("mysql-bin.1000000", 4, (1_000_000 << 32) + 4),
        ("odd", 4, None),
    ],
)
def test_the_origin_of_a_mysql_change(
    file: str, pos: int, position: int | None, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = envelope_schema({"id": "int"}, MYSQL_SOURCE)
    put(registry, 45, schema)
    source = mysql_source(file=file, pos=pos)
    data = framed(45, schema, envelope("c", {"id": 1}, source=source))
    origin = row_change(new_decoder(), record(KEY_BYTES, data)).origin
    assert (origin.connector, origin.db, origin.schema) == ("mysql", "inventory", None)
    assert origin.position == position


def test_flattened_rows_are_rows(registry: LocalRegistry, new_decoder: NewDecoder) -> None:
    columns = {"id": "int", "name": "string", "__deleted": optional("string")}
    schema = struct(columns, "Value")
    put(registry, 46, schema)
    decoder = new_decoder()
    rows = [{"id": 1, "name": "a", "__deleted": deleted} for deleted in ("false", "true")]
    kept, gone = (row_change(decoder, record(KEY_BYTES, framed(46, schema, row))) for row in rows)
    assert (kept.op, kept.after) == (Op.UPDATE, {"id": 1, "name": "a"})
    assert (gone.op, gone.after) == (Op.DELETE, {})


def test_flattened_rows_say_as_much_as_was_added_to_them(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    added = {"__op": "string", "__table": "string", "__lsn": "long", "__source_ts_ms": "long"}
    schema = struct({"id": "int", **added}, "Value")
    put(registry, 47, schema)
    row = {"id": 1, "__op": "r", "__table": "products", "__lsn": 8, "__source_ts_ms": 9}
    change = row_change(new_decoder(frozenset({"id"})), record(KEY_BYTES, framed(47, schema, row)))
    assert (change.op, change.after) == (Op.READ, {"id": 1})
    assert (change.origin.table, change.origin.position, change.origin.committed_ms) == (
        "products",
        8,
        9,
    )


NEW_KEY, OLD_KEY = ("__debezium.newkey", b'{"id":2}'), ("__debezium.oldkey", b'{"id":7}')


@pytest.mark.parametrize("op", ["c", None])
def test_flattened_rows_keep_the_links_of_a_key_change(
    op: str | None, registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    columns = {"id": "int", "__op": optional("string"), "__deleted": optional("string")}
    schema = struct(columns, "Value")
    put(registry, 48, schema)
    decoder = new_decoder(frozenset({"id"}))
    rows = [
        {"id": 1, "__op": op, "__deleted": "false"},
        {"id": 1, "__op": "d", "__deleted": "true"},
    ]
    new, old = (framed(48, schema, row) for row in rows)
    created = row_change(decoder, record(KEY_BYTES, new, (OLD_KEY,)))
    gone = row_change(decoder, record(KEY_BYTES, old, (NEW_KEY,)))
    assert (created.op, created.moved_from) == (Op.CREATE, Key(TOPIC, (("id", 7),)))
    assert (gone.op, gone.moves_away) == (Op.DELETE, True)


def test_tombstones_of_flattened_rows_may_be_half_of_a_key_change(
    registry: LocalRegistry, new_decoder: NewDecoder
) -> None:
    schema = struct({"id": "int", "__lsn": "long"}, "Value")
    put(registry, 49, schema)
    decoder = new_decoder(frozenset({"id"}))
    row = framed(49, schema, {"id": 1, "__lsn": 8})
    created = row_change(decoder, record(KEY_BYTES, row, (OLD_KEY,)))
    gone = row_change(decoder, record(KEY_BYTES, None, (NEW_KEY,)))
    assert (gone.op, gone.moves_away) == (Op.TOMBSTONE, True)
    assert (created.key_changed_at, created.departed_at, gone.departed_at) == (8, None, None)
    assert gone.departed_to == Key(TOPIC, (("id", 2),))
    assert created.departed_to == created.key


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.fixed_dictionaries(
    {"id": st.integers(-(2**31), 2**31 - 1), "name": TEXT, "note": st.none() | TEXT}
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.sampled_from("cur"), st.none() | ROWS)
def test_any_row_survives(
    decoder: DebeziumDecoder, row: dict[str, Any], op: str, before: dict[str, Any] | None
) -> None:
    key = framed(KEY_ID, KEY, {"id": row["id"]})
    change = row_change(decoder, record(key, value(op, row, before)))
    assert change.after == row
    assert change.key.columns == (("id", row["id"]),)


def test_no_message_of_an_error_holds_the_rows_content(decoder: DebeziumDecoder) -> None:
    broken = value("c", {**ROW, "name": "SECRET"})
    for data in (broken[:-3], broken + b"SECRET", broken.replace(b"SECRET", b"SECR\xff\xff")):
        with pytest.raises(RecordError) as caught:
            decoded(decoder, record(KEY_BYTES, data))
        assert "SECR" not in str(caught.value)
