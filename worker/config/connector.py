"""The settings of one connector: the flat keys of its JSON as typed sections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from worker.config.section import Section
from worker.config.values import (
    ByteCount,
    Count,
    FailureLimit,
    FailureShare,
    Milliseconds,
    PlainName,
    TopicList,
    TopicName,
    TopicRegex,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.config.budget import BudgetSettings
    from worker.config.client import ClientProperties
    from worker.config.converter import ConverterSettings
    from worker.config.reselect import ReselectSettings

CONNECTOR_CLASS = "EmbeddingSink"


def _simple_class(value: object) -> object:
    """Connect accepts a class by its full name, its simple name, or that less ``Connector``."""
    if not isinstance(value, str):
        return value
    return value.rpartition(".")[2].removesuffix("Connector")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class ConnectorSettings(Section):
    """Which connector it is and what it reads."""

    name: PlainName = Field(
        alias="name",
        description="Name of the connector; the consumer group is `connect-<name>`.",
    )
    connector_class: Annotated[Literal["EmbeddingSink"], BeforeValidator(_simple_class)] = Field(
        alias="connector.class",
        description="`EmbeddingSink`; a package name before it is ignored.",
    )
    tasks_max: Count = Field(
        1,
        alias="tasks.max",
        description="Tasks, each a member of the consumer group: of all workers together that "
        "share a `config.storage.topic`; a worker that stands alone runs all of them.",
    )
    topics: TopicList = Field(
        (),
        alias="topics",
        description="Topics to read, comma-separated. Either this or `topics.regex`.",
        json_schema_extra={"kind": "list"},
    )
    topics_regex: TopicRegex | None = Field(
        None,
        alias="topics.regex",
        description="POSIX extended regular expression that matches the whole topic name.",
    )


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


class DocumentSettings(Section):
    """How a row becomes text and metadata; the texts are parsed by the document step."""

    fields: str | None = Field(
        None,
        alias="document.fields",
        description="Columns of the text, such as `Product: name, Category: category, "
        "description`: one line each, with its label; empty ones are left out.",
    )
    template: str | None = Field(
        None,
        alias="document.template",
        description="Jinja2 template (sandboxed) of the text, instead of `document.fields`.",
    )
    when: str | None = Field(
        None,
        alias="document.when",
        description="Jinja2 expression; a row for which it is false is not in the index, and "
        "leaves it when it turns false.",
    )
    chunk_tokens: int = Field(
        0,
        alias="document.chunk.tokens",
        ge=0,
        description="Tokens that a chunk has at most: a text becomes one or more points, cut "
        "between paragraphs or sentences where it can be. 0 leaves texts whole.",
    )
    chunk_overlap: int = Field(
        0,
        alias="document.chunk.overlap",
        ge=0,
        description="Tokens that a chunk repeats of the one before it, at most.",
    )
    overlong: Literal["chunk", "truncate", "fail"] | None = Field(
        None,
        alias="document.overlong",
        description="A text over the model's limit: it is cut into chunks (the default with "
        "`document.chunk.tokens`), its beginning is embedded (the default without), or the row "
        "fails.",
    )
    metadata_fields: str = Field(
        "",
        alias="metadata.fields",
        description="Columns kept as metadata: `column` or `column as name`, comma-separated. "
        "`source_table` and `updated_at` are always there.",
    )
    metadata_text: bool = Field(
        False,  # noqa: FBT003 - a default, no switch
        alias="metadata.text",
        description="Whether the text, or the chunk's, is kept as metadata called `text`.",
    )

    @property
    def beyond_limit(self) -> Literal["truncate", "fail"]:
        """What becomes of a text, or of a chunk, that the model finds too long."""
        return "fail" if self.overlong == "fail" else "truncate"

    @property
    def has_text(self) -> bool:
        """Whether the metadata called ``text`` is no column's; in chunks it is always theirs."""
        return self.metadata_text or self.chunk_tokens > 0


class TargetSettings(Section):
    """Which model and which index."""

    embedder: str = Field(alias="embedder", description="Embedding backend, by name.")
    store: str = Field(alias="store", description="Vector store, by name.")
    namespace: str = Field(
        "${topic}",
        alias="store.namespace",
        description="Namespace of the index; `${topic}`, `${db}`, `${schema}` and `${table}` are "
        "filled in per record.",
    )
    id: str = Field(
        "${key}",
        alias="store.id",
        min_length=1,
        description="Id of a row's point; `${key}` is the key columns joined. Several topics in "
        "one namespace need `${topic}` or `${table}` in it.",
    )


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


@dataclass(frozen=True, slots=True, repr=False)
class ConnectorConfig:
    """A connector whose settings are valid."""

    file: str
    """Where it came from, for messages."""
    raw: Mapping[str, str]
    """As written, with references to secrets unresolved."""
    connector: ConnectorSettings
    key_converter: ConverterSettings
    value_converter: ConverterSettings
    events: EventSettings
    document: DocumentSettings
    target: TargetSettings
    errors: ErrorSettings
    batch: BatchSettings
    budget: BudgetSettings
    reselect: ReselectSettings
    embedder_config: Section
    """An instance of the chosen embedder's ``Config``."""
    store_config: Section
    """An instance of the chosen store's ``Config``."""
    consumer: ClientProperties
    """``consumer.override.*`` in librdkafka's words; so the next two."""
    producer: ClientProperties
    admin: ClientProperties
    secret_keys: frozenset[str] = field(default_factory=frozenset)
    """Keys whose values must never be shown."""

    def __repr__(self) -> str:
        return f"ConnectorConfig({self.raw.get('name')!r})"

    @property
    def name(self) -> str:
        """Name of the connector."""
        return self.connector.name

    @property
    def group_id(self) -> str:
        """Consumer group: ``connect-<name>``, as in Kafka Connect, if not overridden."""
        return str(self.consumer.get("group.id", f"connect-{self.name}"))

    @property
    def state_topic(self) -> str:
        """The compacted topic in which the group's pods keep what outlives them."""
        return f"{self.group_id}-state"

    @property
    def slots_topic(self) -> str:
        """The topic whose partitions stand for the tasks, where several workers share them."""
        return f"{self.group_id}-tasks"

    @property
    def subscription(self) -> tuple[str, ...]:
        """What to subscribe to: names, or one pattern that matches whole names.

        librdkafka takes what begins with ``^`` for a pattern and searches it anywhere in a name,
        while Connect's ``topics.regex`` matches whole names.
        """
        if self.connector.topics_regex is None:
            return self.connector.topics
        return (f"^({self.connector.topics_regex})$",)

    @property
    def dlq_topic(self) -> str | None:
        """Dead-letter topic; None if a bad record fails the task."""
        if self.errors.tolerance == "none":
            return None
        return self.errors.dead_letter_topic or f"{self.name}-dlq"
