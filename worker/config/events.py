"""What the change events of a connector look like."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from worker.config.section import Section


class EventSettings(Section):
    """What the change events look like."""

    unavailable_placeholder: str = Field(
        "__debezium_unavailable_value",
        alias="unavailable.value.placeholder",
        min_length=1,
        description="What Debezium sends for a value it could not read; the same as the source "
        "connector's setting of this name.",
    )
    truncate_mode: Literal["ignore", "delete", "fail"] = Field(
        "ignore",
        alias="truncate.mode",
        description="What a TRUNCATE of the table does: nothing, it deletes the table's points "
        "that are older, or it fails the task. Debezium sends it only with "
        "`skipped.operations=none`.",
    )
