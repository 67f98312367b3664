"""The settings of what fails: outages, bad records, dead letters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from worker.config.section import Section
from worker.config.values import Count, FailureLimit, FailureShare, TopicName


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class ErrorSettings(Section):
    """What happens when something fails; the names are Kafka Connect's."""

    tolerance: Literal["none", "all"] = Field(
        "none",
        alias="errors.tolerance",
        description="`all` sends records that cannot be processed to the dead-letter topic; "
        "`none` fails the task at the first one.",
    )
    retry_timeout_ms: int = Field(
        -1,
        alias="errors.retry.timeout",
        ge=-1,
        description="Milliseconds to go on retrying during an outage; -1 is until it ends.",
    )
    retry_delay_max_ms: Count = Field(
        10_000,
        alias="errors.retry.delay.max.ms",
        description="Longest wait between two tries, in milliseconds (Kafka Connect has 60000); "
        "a longer wait that the other side asks for is kept.",
    )
    dead_letter_topic: TopicName | None = Field(
        None,
        alias="errors.deadletterqueue.topic.name",
        description="Dead-letter topic; `<name>-dlq` with `errors.tolerance` `all`. "
        "Created if it is missing.",
    )
    replication_factor: int = Field(
        -1,
        alias="errors.deadletterqueue.topic.replication.factor",
        ge=-1,
        description="Replication of a dead-letter topic that is created; "
        "-1 is the brokers' own default (Kafka Connect has 3).",
    )
    context_headers: Annotated[Literal["true"], BeforeValidator(_lower)] = Field(
        "true",
        alias="errors.deadletterqueue.context.headers.enable",
        description="Always `true`: the `__connect.errors.*` headers are always written.",
    )

    dlq_limit: FailureShare = Field(
        FailureLimit(100, 1000),
        alias="dlq.limit",
        description="So many of the last so many records of a task may fail; at the next one the "
        "task fails, as something is wrong that a dead-letter topic cannot cure.",
        json_schema_extra={"kind": "share"},
    )
    dlq_max_replays: int = Field(
        3,
        alias="dlq.max.replays",
        ge=0,
        description="How often a dead letter may be replayed and fail again; after that only "
        "`vecsink dlq replay --force` replays it.",
    )

    @property
    def retry_timeout_s(self) -> float | None:
        """Seconds to go on retrying an outage; None is until it ends."""
        return None if self.retry_timeout_ms < 0 else self.retry_timeout_ms / 1000

    @property
    def retry_delay_max_s(self) -> float:
        """Longest wait between two tries."""
        return self.retry_delay_max_ms / 1000
