"""Debezium records to changes: the decoder that the worker uses."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.decode import placeholder
from worker.decode.avro import AvroKeys, AvroValues
from worker.decode.columns import WantedColumns
from worker.decode.envelope import NOT_ROWS, Envelopes
from worker.decode.json_format import JsonKeys, JsonValues, UntypedJsonKeys, UntypedJsonValues
from worker.decode.origin import origin_of
from worker.decode.part import Part, PartSchemaNeeded
from worker.decode.placeholder import Placeholder
from worker.decode.port import NotARow, SchemaNeeded
from worker.decode.registry import HttpRegistry
from worker.decode.schemas import Schemas
from worker.decode.shape import Kind
from worker.errors import ConfigError, FatalError, RecordError
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.decode.formats import KeyFormat, RawValue, ValueFormat
    from worker.decode.registry_http import RegistrySettings
    from worker.model import Change, Key, Origin, Record


_ENVELOPE = Kind.ENVELOPE
"""Named here, as Python 3.11 takes 90 ns to read a member off its class."""


class Format(StrEnum):
    """How bytes are written."""

    AVRO = "avro"
    JSON = "json"


@immutable
class PartSettings:
    """How the key or the value is written."""

    format: Format = Format.AVRO
    schemas_enable: bool = True
    """JSON: each message is ``{"schema":…,"payload":…}``."""
    registry: RegistrySettings | None = None
    """Avro: where the schemas are."""


@immutable
class DecoderSettings:
    """Everything that a decoder has to be told."""

    key: PartSettings = field(default_factory=PartSettings)
    value: PartSettings = field(default_factory=PartSettings)
    columns: frozenset[str] | None = None
    """The columns of rows that anybody will read; None for all."""
    unavailable_value: str = placeholder.DEFAULT
    """Debezium's ``unavailable.value.placeholder``; ``hex:`` for bytes."""


class DebeziumDecoder:
    """See ``Decoder``. ``decode`` belongs to one thread, ``load`` to any."""

    def __init__(self, settings: DecoderSettings, clock: Clock | None = None) -> None:
        """Prepare; no connection is opened yet.

        Raises:
            ConfigError: no registry for Avro, a certificate or the placeholder cannot be read.
        """
        registries = _Registries(clock or SystemClock())
        self._keys = _keys(settings.key, registries)
        self._values = _values(settings, registries)
        self._registries = registries
        self._envelopes = Envelopes(self._keys)

    def decode(self, record: Record) -> Change | NotARow:
        """See the port."""
        data = record.value
        value = None if data is None else self._values.read(data, record)
        if value is not None:
            kind = _what_is_no_row(value)
            if kind is not None:
                return NotARow(kind, _origin(value))
        read = None if record.key is None else self._keys.read(record.key, record)
        if read is None:
            return _without_key(record, value)
        reader, raw = read
        key = reader.key(record.topic, raw)
        return self._envelopes.change(record, reader, key, value)

    def key(self, record: Record) -> Key | None:
        """See the port."""
        try:
            read = None if record.key is None else self._keys.read(record.key, record)
            return None if read is None else read[0].key(record.topic, read[1])
        except (SchemaNeeded, RecordError):
            return None

    def load(self, needed: SchemaNeeded) -> None:
        """See the port. Checks as well that the wanted columns exist in a value's rows."""
        part = needed.part if isinstance(needed, PartSchemaNeeded) else Part.VALUE
        (self._keys if part is Part.KEY else self._values).load(needed)

    def close(self) -> None:
        """See the port."""
        self._registries.close()


class _Registries:
    """One store of schemas per registry, shared where keys and values have the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._schemas: dict[RegistrySettings, Schemas] = {}

    def schemas(self, settings: PartSettings, part: Part) -> Schemas:
        if settings.registry is None:
            raise ConfigError(f"{part}.converter.schema.registry.url is needed for Avro")
        found = self._schemas.get(settings.registry)
        if found is None:
            found = Schemas(HttpRegistry(settings.registry), self._clock)
            self._schemas[settings.registry] = found
        return found

    def close(self) -> None:
        for schemas in self._schemas.values():
            schemas.registry.close()


def _keys(settings: PartSettings, registries: _Registries) -> KeyFormat:
    if settings.format is Format.AVRO:
        return AvroKeys(registries.schemas(settings, Part.KEY))
    return JsonKeys() if settings.schemas_enable else UntypedJsonKeys()


def _values(settings: DecoderSettings, registries: _Registries) -> ValueFormat:
    columns, wanted = settings.columns, WantedColumns(settings.columns)
    try:
        unavailable = Placeholder(settings.unavailable_value)
    except ValueError as error:
        raise ConfigError("the unavailable value needs hexadecimal digits after hex:") from error
    part = settings.value
    if part.format is Format.AVRO:
        schemas = registries.schemas(part, Part.VALUE)
        return AvroValues(schemas, columns, wanted, unavailable)
    kind = JsonValues if part.schemas_enable else UntypedJsonValues
    return kind(columns, wanted, unavailable)


def _what_is_no_row(value: RawValue) -> str | None:
    """``NotARow.kind`` of a value, or None for a row."""
    if value.kind is _ENVELOPE:
        return NOT_ROWS.get(str(value.fields.get("op")))
    return None if value.kind.is_row else value.kind.value


def _origin(value: RawValue) -> Origin:
    return origin_of(value.fields.get("source") if value.kind is _ENVELOPE else None)


def _without_key(record: Record, value: RawValue | None) -> NotARow:
    if value is None:
        return NotARow("empty")
    raise FatalError(
        f"records of {record.topic} have no key, so nobody can say which row they are about: give "
        "the table a primary key, name the columns in message.key.columns of the source connector, "
        "or take the topic out"
    )
