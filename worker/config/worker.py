"""The settings of the worker process and of all its Kafka clients."""

from __future__ import annotations

import socket
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from worker.config.client import ClientProperties
from worker.config.listener import Listener, ListenerList, listeners_of
from worker.config.rest import RestSettings
from worker.config.values import Milliseconds, PlainName, TopicName
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping


def _log_level(value: object) -> object:
    return value.upper().replace("WARNING", "WARN") if isinstance(value, str) else value


class WorkerSettings(RestSettings):
    """Settings of the process itself."""

    bootstrap_servers: str = Field(
        "localhost:9092",
        alias="bootstrap.servers",
        min_length=1,
        description="Kafka brokers to begin with: `host:port`, comma-separated.",
    )
    worker_id: PlainName | None = Field(
        None,
        alias="worker.id",
        description="Lasting, unique name of this worker: makes its group membership static, so "
        "that a restart within the session time-out moves no partition.",
    )
    listeners: ListenerList = Field(
        "http://localhost:8083",
        description="Where the worker answers over HTTP (the REST API and `/metrics`), "
        "comma-separated, `https://…` too; `http://:8083` is every address of the machine, empty "
        "is nowhere. With `--until-caught-up` nothing listens.",
    )
    storage_topic: TopicName | None = Field(
        None,
        alias="config.storage.topic",
        description="Compacted topic in which all workers that name it keep connectors that came "
        "by REST, and what is paused or stopped. They share the work: `tasks.max` holds for all "
        "of them together. Created if it is missing; without it a worker stands alone and "
        "forgets both when it ends.",
    )
    storage_replication: int = Field(
        -1,
        alias="config.storage.replication.factor",
        ge=-1,
        description="Replication of that topic, and of the topics of task slots, where they are "
        "created; -1 is the brokers' own default (Kafka Connect has 3).",
    )
    shutdown_timeout_ms: Milliseconds = Field(
        30_000,
        alias="shutdown.timeout.ms",
        description="Milliseconds to finish what is under way when the worker is told to stop. "
        "Of calls to a provider that were sent, answers that come up to seven seconds before its "
        "end are written (of less than 15 s: in its first half).",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARN", "ERROR"], BeforeValidator(_log_level)] = (
        Field("INFO", alias="log.level", description="Least severity that is logged.")
    )
    log_format: Literal["text", "json"] = Field(
        "text", alias="log.format", description="Lines for people, or one JSON object per line."
    )

    @field_validator("listeners")
    @classmethod
    def _check_certificate(cls, given: str, info: ValidationInfo) -> str:
        has_https = any(one.scheme == "https" for one in listeners_of(given))
        if has_https and info.data.get("certificate") is None:
            raise ValueError("listeners.https.ssl.certificate.location beside an https listener")
        return given


@immutable
class WorkerConfig:
    """The worker's settings, valid."""

    settings: WorkerSettings = field(default_factory=lambda: WorkerSettings.model_validate({}))
    common: ClientProperties = field(default_factory=ClientProperties)
    """For all Kafka clients; then ``consumer.*``, ``producer.*`` and ``admin.*``."""
    consumer: ClientProperties = field(default_factory=ClientProperties)
    producer: ClientProperties = field(default_factory=ClientProperties)
    admin: ClientProperties = field(default_factory=ClientProperties)
    converters: Mapping[str, str] = field(default_factory=dict)
    """``key.converter…`` and ``value.converter…``, references unresolved: what a connector
    that says nothing about its converters gets."""

    def __repr__(self) -> str:
        return "WorkerConfig()"

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``, comma-separated."""
        return self.settings.bootstrap_servers

    @property
    def worker_id(self) -> str | None:
        """Lasting name of this worker, if it has one."""
        return self.settings.worker_id

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Where to answer over HTTP."""
        return listeners_of(self.settings.listeners)

    @property
    def chose_listeners(self) -> bool:
        """Whether somebody wants them, rather than that nobody said otherwise."""
        return "listeners" in self.settings.model_fields_set

    @property
    def advertised(self) -> Listener | None:
        """Where other pods reach this one; None where it listens nowhere."""
        if not self.listeners:
            return None
        first = self.listeners[0]
        host = self.settings.advertised_host or first.host or socket.gethostname()
        return first._replace(host=host, port=self.settings.advertised_port or first.port)

    @property
    def shutdown_timeout_s(self) -> float:
        """Seconds to finish what is under way."""
        return self.settings.shutdown_timeout_ms / 1000

    @property
    def log_level(self) -> str:
        """A name that ``logging`` knows."""
        return self.settings.log_level

    @property
    def log_format(self) -> Literal["text", "json"]:
        """Lines for people or JSON."""
        return self.settings.log_format
