"""What is read of Avro bytes is what fastavro reads, without what nobody wants."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from worker.decode.projection import projection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy

    from worker.decode.projection import Wanted

_LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200)
_PLAIN: dict[str, SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1) | st.integers(-200, 200),
    "long": _LONGS,
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=200),
    "string": st.text(max_size=100),
}
_NAMES = st.sampled_from(["id", "name", 'we"ird', "with space", "ü", "back\\slash", "{to}"])


class _Schemas:
    """Makes schemas in which each named type is defined once and may be used again."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._named: dict[str, Any] = {}

    def schema(self, depth: int) -> Any:
        kinds = ["plain", "plain", "optional", "annotated", "enum", "fixed", "again"]
        if depth:
            kinds += ["record", "record", "array", "map", "union"]
        kind = self._draw(st.sampled_from(kinds))
        return getattr(self, f"_{kind}")(depth)

    def _plain(self, _depth: int) -> Any:
        return self._draw(st.sampled_from(sorted(_PLAIN)))

    def _annotated(self, _depth: int) -> Any:
        return {"type": self._plain(0), "connect.name": "io.debezium.time.Date"}

    def _optional(self, depth: int) -> Any:
        inner = self.schema(depth - 1) if depth else self._plain(0)
        if inner == "null" or isinstance(inner, list):
            return inner
        return self._draw(st.permutations(["null", inner]))

    def _enum(self, _depth: int) -> Any:
        return self._define({"type": "enum", "symbols": ["A", "B", "C"]})

    def _fixed(self, _depth: int) -> Any:
        return self._define({"type": "fixed", "size": self._draw(st.integers(1, 20))})

    def _again(self, _depth: int) -> Any:
        return self._draw(st.sampled_from(sorted(self._named))) if self._named else "long"

    def _record(self, depth: int) -> Any:
        names = self._draw(st.lists(_NAMES, unique=True, max_size=5))
        fields = [{"name": name, "type": self.schema(depth - 1)} for name in names]
        return self._define({"type": "record", "fields": fields})

    def _array(self, depth: int) -> Any:
        return {"type": "array", "items": self.schema(depth - 1)}

    def _map(self, depth: int) -> Any:
        return {"type": "map", "values": self.schema(depth - 1)}

    def _union(self, _depth: int) -> Any:
        return self._draw(st.permutations(["null", "string", "long"]))

    def _define(self, node: dict[str, Any]) -> Any:
        name = f"shop.N{len(self._named)}"
        self._named[name] = {"name": name, **node}
        return self._named[name]

    def datum(self, schema: Any) -> Any:
        """A value of the schema."""
        if isinstance(schema, str):
            return self._draw(_PLAIN[schema]) if schema in _PLAIN else self._of(self._named[schema])
        if isinstance(schema, list):
            return self.datum(self._draw(st.sampled_from(schema)))
        return self._of(schema)

    def _of(self, schema: Mapping[str, Any]) -> Any:
        kind = schema["type"]
        if kind == "record":
            return {field["name"]: self.datum(field["type"]) for field in schema["fields"]}
        if kind == "array":
            return [self.datum(schema["items"]) for _ in range(self._draw(st.integers(0, 3)))]
        if kind == "map":
            return {name: self.datum(schema["values"]) for name in self._draw(st.sets(_NAMES))}
        if kind == "enum":
            return self._draw(st.sampled_from(schema["symbols"]))
        if kind == "fixed":
            return self._draw(st.binary(min_size=schema["size"], max_size=schema["size"]))
        return self.datum(kind)


@st.composite
def _written(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A schema and the bytes of a datum."""
    schemas = _Schemas(draw)
    schema = schemas.schema(3)
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), schemas.datum(schema))
    return schema, stream.getvalue()


def _by_fastavro(schema: Any, data: bytes) -> Any:
    stream = io.BytesIO(data)
    value = fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), None)
    if stream.tell() != len(data):
        raise ValueError("bytes are left")
    return value


def _without_unwanted(value: Any, wanted: Wanted) -> Any:
    if wanted is None or not isinstance(value, dict):
        return value
    return {name: _without_unwanted(value[name], wanted[name]) for name in value if name in wanted}


@st.composite
def _with_wanted(draw: st.DrawFn) -> tuple[Any, bytes, Wanted]:
    """A record with what somebody wants of it."""
    schema, data = draw(_written().filter(lambda written: _fields(written[0])))
    return schema, data, _some_of(draw, schema)


def _some_of(draw: st.DrawFn, schema: Any) -> Wanted:
    if isinstance(schema, list):
        return _some_of(draw, schema[0] if schema[0] != "null" else schema[1])
    if not _fields(schema) or draw(st.integers(0, 3)) == 0:
        return None
    chosen = [field for field in _fields(schema) if draw(st.booleans())]
    return {field["name"]: _some_of(draw, field["type"]) for field in chosen}


def _fields(schema: Any) -> Any:
    return schema.get("fields") if isinstance(schema, dict) else None


@given(written=_written(), before=st.binary(max_size=5))
def test_everything_is_read_as_fastavro_reads_it(written: tuple[Any, bytes], before: bytes) -> None:
    schema, data = written
    read = projection(schema, None)(before + data, len(before))
    assert repr(read) == repr(_by_fastavro(schema, data))


@given(written=_with_wanted())
def test_the_wanted_fields_are_read_as_fastavro_reads_them(
    written: tuple[Any, bytes, Wanted],
) -> None:
    schema, data, wanted = written
    expected = _without_unwanted(_by_fastavro(schema, data), wanted)
    assert repr(projection(schema, wanted)(data, 0)) == repr(expected)


@given(number=_LONGS, more=_LONGS)
def test_numbers_of_any_size_are_read_and_stepped_over(number: int, more: int) -> None:
    fields = [{"name": name, "type": "long"} for name in ("id", "xmin", "lsn")]
    schema = {"type": "record", "name": "Row", "fields": fields}
    row = {"id": number, "xmin": more, "lsn": number}
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), row)
    read = projection(schema, {"id": None, "lsn": None})(stream.getvalue(), 0)
    assert read == {"id": number, "lsn": number}


@pytest.mark.parametrize("kind", ["string", "bytes"])
@pytest.mark.parametrize(
    "data", [b"\x01", b"\x03ab", b"\x81\x01" + b"a" * 64, b"\x80" * 10 + b"\0"]
)
def test_a_negative_or_endless_length_is_refused(kind: str, data: bytes) -> None:
    schema = {"type": "record", "name": "Row", "fields": [{"name": "note", "type": kind}]}
    assert _refuses(schema, None, data)
    assert _refuses(schema, {}, data)


@given(written=_written(), end=st.integers(0, 200))
def test_what_is_cut_is_not_read(written: tuple[Any, bytes], end: int) -> None:
    schema, whole = written
    assume(end < len(whole))
    assert _refuses(schema, {}, whole[:end])


@given(written=_written(), more=st.binary(min_size=1, max_size=3))
def test_what_goes_on_after_its_end_is_not_read(written: tuple[Any, bytes], more: bytes) -> None:
    schema, whole = written
    assert _refuses(schema, {}, whole + more)


@given(written=_written(), noise=st.binary(max_size=40))
def test_broken_bytes_are_read_as_fastavro_reads_them_or_not_at_all(
    written: tuple[Any, bytes], noise: bytes
) -> None:
    schema, whole = written
    data = noise + whole[len(noise) :]
    if not _refuses(schema, None, data):
        assert repr(projection(schema, None)(data, 0)) == repr(_by_fastavro(schema, data))


def _refuses(schema: Any, wanted: Wanted, data: bytes) -> bool:
    try:
        projection(schema, wanted)(data, 0)
    except Exception:  # noqa: BLE001 - whatever it is, fastavro has the last word then
        return True
    return False
