"""What stands behind the REST API: the ``Herder``, Kafka Connect's own word for it.

A herder keeps the connectors of the whole cluster: their configs, which of them should run, and
what became of their tasks on all pods. Every method may be called from any thread and may block
while it asks Kafka or another pod. Configs are as written, references to secrets unresolved.

Messages and statuses are Kafka Connect's (``AbstractHerder``, ``DistributedHerder``), as clients
show and parse them. What a method raises is in ``refusals``.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TargetState(StrEnum):
    """What a connector should be; it survives restarts."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """Its tasks keep their partitions and read nothing."""
    STOPPED = "STOPPED"
    """It has no tasks, and its offsets may be changed."""


class State(StrEnum):
    """What a connector or a task is. ``STOPPED`` is of connectors alone: such have no tasks."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"


@immutable
class Status:
    """Of a connector or of one task."""

    state: State
    worker_id: str
    """``host:port`` of the REST address of the pod that runs it."""
    trace: str = ""
    """Why it failed; never empty where the state is FAILED, as kcctl relies on it."""


@immutable
class ConnectorInfo:
    """A connector and the numbers of its tasks."""

    name: str
    config: Mapping[str, str]
    """Contains ``name``."""
    tasks: Sequence[int] = ()


@immutable
class ConnectorStateInfo:
    """What a connector and its tasks are."""

    name: str
    connector: Status
    tasks: Mapping[int, Status] = field(default_factory=dict)


@immutable
class TaskInfo:
    """One task and its settings."""

    number: int
    config: Mapping[str, str]


@immutable
class Put:
    """The outcome of ``put_config``."""

    info: ConnectorInfo
    is_new: bool
    """Whether the connector did not exist before."""


@immutable
class RestartRequest:
    """What to restart."""

    connector: str
    include_tasks: bool = False
    only_failed: bool = False
    """Leaves alone what has not failed."""


@immutable
class PartitionOffset:
    """Where the group of a connector goes on in one partition."""

    topic: str
    partition: int
    offset: int | None
    """The next offset to read; None, in a change, forgets what was committed."""


@immutable
class Health:
    """What the process can say of itself."""

    is_started: bool
    """Whether it has read the connectors' configs and may answer for them."""
    is_alive: bool = True
    """False where only a new process helps, such as after the death of a poll thread."""
    detail: str = ""
    """For people; which part is not well."""


class Herder(Protocol):
    """All connectors of the cluster.

    Configs that come in are valid, have the connector's ``name``, and come from REST. Unless said
    otherwise a method for an unknown connector raises ``NotFoundError``.
    """

    def kafka_cluster_id(self) -> str:
        """The id that the brokers give their cluster; empty if they have not said."""
        ...

    def health(self) -> Health:
        """Cheap, asks nobody."""
        ...

    def connectors(self) -> Sequence[str]:
        """All names."""
        ...

    def connector(self, name: str) -> ConnectorInfo:
        """Config and tasks (``NotFoundError.connector``)."""
        ...

    def status(self, name: str) -> ConnectorStateInfo:
        """States (``NotFoundError.status_of``; so it is after a delete)."""
        ...

    def tasks(self, name: str) -> Sequence[TaskInfo]:
        """Tasks by number (``NotFoundError.connector``)."""
        ...

    def create(
        self, name: str, config: Mapping[str, str], initial_state: TargetState
    ) -> ConnectorInfo:
        """A new connector.

        Raises:
            AlreadyExistsError: there is one of this name.
            BadRequestError: it may not be made by REST.
        """
        ...

    def put_config(self, name: str, config: Mapping[str, str]) -> Put:
        """Make a connector or replace its config; its target state stays.

        Raises:
            BadRequestError: the connector is not REST's to change, such as one of a folder.
        """
        ...

    def delete(self, name: str) -> None:
        """End and forget it (``NotFoundError.connector``).

        Raises:
            BadRequestError: as ``put_config``.
        """
        ...

    def pause(self, name: str) -> None:
        """Its tasks read nothing more until ``resume`` (``NotFoundError.unknown``)."""
        ...

    def resume(self, name: str) -> None:
        """Its tasks run again after ``pause`` or ``stop`` (``NotFoundError.unknown``)."""
        ...

    def stop(self, name: str) -> None:
        """Its tasks end until ``resume`` (``NotFoundError.unknown``)."""
        ...

    def restart(self, request: RestartRequest) -> ConnectorStateInfo:
        """Begin a restart and return without waiting for its end.

        Of an unknown connector ``NotFoundError.unknown_to_restart``.

        In the answer everything that is about to restart is ``RESTARTING``.
        """
        ...

    def restart_task(self, name: str, number: int) -> None:
        """One task (``NotFoundError.unknown_to_restart``, ``NotFoundError.unknown_task``)."""
        ...

    def active_topics(self, name: str) -> Sequence[str]:
        """Topics that records were read from since the last reset; none for unknown names."""
        ...

    def reset_active_topics(self, name: str) -> None:
        """Forget them; nothing happens for unknown names."""
        ...

    def offsets(self, name: str) -> Sequence[PartitionOffset]:
        """What the group has committed (``NotFoundError.connector``)."""
        ...

    def alter_offsets(self, name: str, changes: Sequence[PartitionOffset]) -> None:
        """Move the group (``NotFoundError.connector``).

        Raises:
            NotStoppedError: the connector is not STOPPED.
            BadRequestError: such a partition or offset does not exist.
            HerderError: the group still has members.
        """
        ...

    def reset_offsets(self, name: str) -> None:
        """Forget all that the group has committed; raises as ``alter_offsets``."""
        ...

    def set_logger_level(self, logger: str, level: str) -> None:
        """On every pod, this one included; ``level`` is Connect's word, such as ``DEBUG``."""
        ...
