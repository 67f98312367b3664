"""The settings of batches and buffers."""

from __future__ import annotations

from pydantic import Field

from worker.config.section import Section
from worker.config.values import ByteCount, Count, Milliseconds


class BatchSettings(Section):
    """When a batch closes, and how much may be in memory."""

    max_rows: Count = Field(288, alias="batch.max.rows", description="Rows that close a batch.")
    linger_ms: Milliseconds = Field(
        200,
        alias="batch.linger.ms",
        description="Milliseconds that a row waits for others at most; "
        "nobody waits when there is nothing more to read.",
    )
    max_bytes: ByteCount = Field(
        2 * 1024**2,
        alias="batch.max.bytes",
        description="Bytes that close a batch.",
        json_schema_extra={"kind": "bytes"},
    )
    buffered_rows: Count = Field(
        10_000,
        alias="max.buffered.rows",
        description="Rows in memory per task; reading pauses above it.",
    )
    buffered_bytes: ByteCount = Field(
        64 * 1024**2,
        alias="max.buffered.bytes",
        description="Bytes in memory per task; reading pauses above it.",
        json_schema_extra={"kind": "bytes"},
    )
    cached_rows: Count = Field(
        100_000,
        alias="cache.max.rows",
        description="Rows per task of which it is remembered what the index holds.",
    )
    in_flight: Count = Field(
        8, alias="max.in.flight", description="Batches of one task under way at the same time."
    )

    @property
    def linger_s(self) -> float:
        """Seconds that a row waits for others at most."""
        return self.linger_ms / 1000
