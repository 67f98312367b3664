"""The settings of one connector: the flat keys of its JSON as typed sections."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from worker.config.section import Section
from worker.config.values import Count, PlainName, TopicList, TopicRegex
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.config.batch import BatchSettings
    from worker.config.budget import BudgetSettings
    from worker.config.client import ClientProperties
    from worker.config.converter import ConverterSettings
    from worker.config.document import DocumentSettings
    from worker.config.events import EventSettings
    from worker.config.failures import ErrorSettings
    from worker.config.reselect import ReselectSettings

CONNECTOR_CLASS = "EmbeddingSink"


def _simple_class(value: object) -> object:
    """Connect accepts a class by its full name, its simple name, or that less ``Connector``."""
    if not isinstance(value, str):
        return value
    return value.rpartition(".")[2].removesuffix("Connector")


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


@immutable
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

    @property
    def dlq_group_id(self) -> str:
        """The group whose lag on the dead-letter topic shows what is open; it has no members."""
        return f"{self.group_id}-dlq"
