"""Keys and values in Avro, read with the writer's schema by id.

Whatever can be known from a schema is prepared once for each schema, and only what somebody wants
is read (ADR 22). What cannot be read that way is read whole by fastavro, which has the last word.
"""

from __future__ import annotations

from dataclasses import field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from fastavro import schemaless_reader

from worker.decode.column_type import STRUCTS
from worker.decode.conversion import conversion
from worker.decode.formats import RawValue, not_a_row
from worker.decode.framing import HEADER_BYTES, schema_id_of
from worker.decode.key import key_reader
from worker.decode.part import Part
from worker.decode.projection import projection
from worker.decode.row import NO_ROW, RowRules, TypedRow
from worker.decode.shape import Kind, kind_of, row_type, wanted_fields
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.decode.columns import WantedColumns
    from worker.decode.key import KeyReader
    from worker.decode.placeholder import Placeholder
    from worker.decode.port import SchemaNeeded
    from worker.decode.projection import Read, Wanted
    from worker.decode.schemas import AvroSchema, Schemas
    from worker.model import Record


_KEY, _VALUE = Part.KEY, Part.VALUE
"""Named here, as Python 3.11 takes 90 ns to read a member off its class."""


@immutable
class _Datum:
    """How to read the bytes of one schema."""

    read: Read
    writer: Any = field(repr=False)
    """As fastavro wants it."""


@immutable
class _KeyPlan:
    datum: _Datum
    reader: KeyReader


@immutable
class _ValuePlan:
    kind: Kind
    datum: _Datum
    row: TypedRow


class AvroKeys:
    """Reads keys completely."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._plans: dict[bytes, _KeyPlan] = {}
        """By magic byte and schema id, as they stand before the data."""

    def read(self, data: bytes, record: Record) -> tuple[KeyReader, Any] | None:
        """See the protocol."""
        plan = self._plans.get(data[:HEADER_BYTES]) or self._learn(data, record)
        raw = _read(data, plan.datum, _KEY)
        return None if raw is None else (plan.reader, raw)

    def _learn(self, data: bytes, record: Record) -> _KeyPlan:
        schema_id = schema_id_of(data, Part.KEY, record.headers)
        plan = _key_plan(self._schemas.get(schema_id, record.topic, Part.KEY))
        self._plans[data[:HEADER_BYTES]] = plan
        return plan

    def load(self, needed: SchemaNeeded) -> None:
        """See the protocol."""
        schema = self._schemas.fetch(needed.schema_id)
        if schema is not None:
            self._schemas.keep(schema)


class AvroValues:
    """Reads the wanted columns of values; ``columns`` None for all."""

    def __init__(
        self,
        schemas: Schemas,
        columns: frozenset[str] | None,
        wanted: WantedColumns,
        placeholder: Placeholder,
    ) -> None:
        self._schemas = schemas
        self._wanted = wanted
        self._rules = RowRules(columns, conversion, placeholder.marks)
        self._plans: dict[bytes, _ValuePlan] = {}
        """By magic byte and schema id, as they stand before the data."""

    def read(self, data: bytes, record: Record) -> RawValue | None:
        """See the protocol."""
        plan = self._plans.get(data[:HEADER_BYTES]) or self._learn(data, record)
        if not plan.kind.is_row:
            return RawValue(plan.kind, {}, NO_ROW)
        raw = _read(data, plan.datum, _VALUE)
        return None if raw is None else RawValue(plan.kind, raw, plan.row)

    def _learn(self, data: bytes, record: Record) -> _ValuePlan:
        schema_id = schema_id_of(data, Part.VALUE, record.headers)
        plan = self._plan(self._schemas.get(schema_id, record.topic, Part.VALUE))
        self._plans[data[:HEADER_BYTES]] = plan
        return plan

    def load(self, needed: SchemaNeeded) -> None:
        """See the protocol; checks as well whether the wanted columns exist."""
        schema = self._schemas.fetch(needed.schema_id)
        if schema is None:
            return
        row = row_type(schema.type)
        if row is not None:
            self._wanted.check(needed.topic, schema.id, row.field_names, self._schemas.registry)
        self._schemas.keep(schema)

    def _plan(self, schema: AvroSchema) -> _ValuePlan:
        value = schema.type
        if value.base not in STRUCTS:
            raise not_a_row(value.base)
        kind = kind_of(value.field_names, value.name)
        row = row_type(value)
        datum = _datum(schema, wanted_fields(kind, value, self._rules.wanted))
        return _ValuePlan(kind, datum, NO_ROW if row is None else self._rules.reader(row))


def _key_plan(schema: AvroSchema) -> _KeyPlan:
    return _KeyPlan(_datum(schema, None), key_reader(schema.type, conversion))


def _datum(schema: AvroSchema, wanted: Wanted) -> _Datum:
    return _Datum(projection(schema.node, wanted), schema.parsed)


def _read(data: bytes, datum: _Datum, part: Part) -> Any:  # noqa: ANN401 - Avro
    """Decode what is wanted.

    Raises:
        RecordError: the bytes were not written with this schema.
    """
    try:
        return datum.read(data, HEADER_BYTES)
    except Exception:  # noqa: BLE001 - whatever it is, fastavro says it in the end
        return _read_whole(data, datum.writer, part)


def _read_whole(data: bytes, writer: Any, part: Part) -> Any:  # noqa: ANN401 - Avro
    """Decode; every byte has to belong to the datum.

    Raises:
        RecordError: the bytes were not written with this schema.
    """
    stream = BytesIO(data)
    stream.seek(HEADER_BYTES)
    try:
        raw = schemaless_reader(stream, writer, None)
    except Exception as error:  # fastavro has no error class of its own for broken bytes
        raise part.error(
            f"the {part}'s bytes are no Avro of their schema ({type(error).__name__})",
            kind="BrokenAvro",
        ) from error
    left = len(data) - stream.tell()
    if left:
        raise part.error(
            f"the {part} has {left} bytes more than its schema says", kind="BrokenAvro"
        )
    return raw
