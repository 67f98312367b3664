"""Avro schemas in memory by id, and ids that the registry did not know."""

from __future__ import annotations

import logging
from dataclasses import field
from typing import TYPE_CHECKING, Any

import fastavro

from worker.decode.avro_schema import column_type, self_contained
from worker.decode.part import PartSchemaNeeded
from worker.decode.registry import UnknownSchema
from worker.errors import FatalError
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.decode.column_type import ColumnType
    from worker.decode.part import Part
    from worker.decode.registry import RegisteredSchema, SchemaRegistry

_LOG = logging.getLogger(__name__)

_ASK_AGAIN_S = 60.0
"""A registry may lag behind the producer: an unknown id is asked for again after this time."""


@immutable
class AvroSchema:
    """A schema that is ready for use."""

    id: int
    node: Any = field(repr=False)
    """In its self-contained form."""
    parsed: Any = field(repr=False)
    """As fastavro wants it."""
    type: ColumnType = field(repr=False)


class Schemas:
    """The schemas of one registry. ``get`` never blocks; ``load`` may run in several threads."""

    def __init__(self, registry: SchemaRegistry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._loaded: dict[int, AvroSchema] = {}
        self._unknown: dict[int, float] = {}

    @property
    def registry(self) -> SchemaRegistry:
        """Where they come from."""
        return self._registry

    def get(self, schema_id: int, topic: str, part: Part) -> AvroSchema:
        """A schema from memory.

        Raises:
            SchemaNeeded: it has to be loaded first.
            RecordError: the registry does not know the id (``UnknownSchema``).
        """
        found = self._loaded.get(schema_id)
        if found is not None:
            return found
        asked_s = self._unknown.get(schema_id)
        if asked_s is None or self._clock.now_s() - asked_s >= _ASK_AGAIN_S:
            raise PartSchemaNeeded(schema_id, topic, part)
        raise part.error(
            f"the registry does not know schema {schema_id} of the {part}", kind="UnknownSchema"
        )

    def fetch(self, schema_id: int) -> AvroSchema | None:
        """Get a schema from the registry, without keeping it; None if there is none of this id.

        Raises:
            RetriableError: the registry is away or overloaded.
            FatalError: it refuses us, or the schema is no Avro schema.
        """
        try:
            registered = self._registry.schema(schema_id)
        except UnknownSchema:
            self._unknown[schema_id] = self._clock.now_s()
            return None
        return _prepared(schema_id, registered)

    def keep(self, schema: AvroSchema) -> None:
        """From now on ``get`` has it."""
        self._loaded[schema.id] = schema
        self._unknown.pop(schema.id, None)
        _LOG.info("Schema %d (%s) is loaded.", schema.id, schema.type.name or schema.type.base)


def _prepared(schema_id: int, registered: RegisteredSchema) -> AvroSchema:
    if registered.kind != "AVRO":
        raise FatalError(
            f"schema {schema_id} is of type {registered.kind}, and vecsink reads Avro: "
            "use Confluent's AvroConverter (or JSON without a registry) at the source connector"
        )
    try:
        node = self_contained(registered.text, registered.references)
        return AvroSchema(schema_id, node, fastavro.parse_schema(node), column_type(node))
    except Exception as error:
        raise FatalError(f"schema {schema_id} is no Avro schema that can be read") from error
