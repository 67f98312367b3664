"""The two halves of a record that are decoded, and the errors that name them."""

from __future__ import annotations

from enum import StrEnum

from worker.decode.port import SchemaNeeded
from worker.errors import RecordError, Stage


class Part(StrEnum):
    """Key or value; the value is also the prefix of the converter's settings."""

    KEY = "key"
    VALUE = "value"

    @property
    def stage(self) -> Stage:
        """The stage under which a failure is reported."""
        return Stage.KEY_CONVERTER if self is Part.KEY else Stage.VALUE_CONVERTER

    def error(self, message: str, *, kind: str) -> RecordError:
        """A record whose key or value is at fault."""
        return RecordError(message, stage=self.stage, kind=kind)


class PartSchemaNeeded(SchemaNeeded):
    """Says as well which half needs the schema, as they may have different registries."""

    def __init__(self, schema_id: int, topic: str, part: Part) -> None:
        super().__init__(schema_id, topic)
        self.part = part
