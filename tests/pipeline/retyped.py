"""A table whose key column gets another type, as keys say that have their schema with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.pipeline.table import Table
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.model import TopicPartition

if TYPE_CHECKING:
    from tests.pipeline.world import World
    from worker.model import Headers, Record


class RetypedTable(Table):
    """Its keys are JSON with schemas; one of another schema goes to the next partition."""

    key_type = "int32"

    def retype(self, key_type: str = "int64") -> None:
        """From now on keys are written by another schema."""
        self.key_type = key_type

    def rest(self, seconds: int) -> None:
        """Nothing happens for so long."""
        self._commits += 1000 * seconds

    def home(self, row_id: int) -> TopicPartition:
        """Where the row's next record goes."""
        return TopicPartition(self.topic, (row_id + (self.key_type == "int64")) % self.partitions)

    def _produce(self, row_id: int, value: bytes | None, headers: Headers) -> Record:
        schema = {"type": "struct", "fields": [{"field": "id", "type": self.key_type}]}
        key = {"schema": schema, "payload": {"id": row_id}}
        return self._broker.produce(
            self.topic,
            json.dumps(key, separators=(",", ":")).encode(),
            value,
            partition=self.home(row_id).partition,
            headers=headers,
            timestamp_ms=1_000 + self._commits,
        )


def retyped_decoder(world: World) -> DebeziumDecoder:
    """Reads its records."""

    def part(*, schemas: bool) -> PartSettings:
        return PartSettings(format=Format.JSON, schemas_enable=schemas)

    settings = DecoderSettings(
        key=part(schemas=True), value=part(schemas=False), columns=world.documents.columns
    )
    return DebeziumDecoder(settings)
