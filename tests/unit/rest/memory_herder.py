"""A herder that behaves, within this process: tasks are numbers, states settle at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from worker.runtime.port import (
    ConnectorInfo,
    ConnectorStateInfo,
    Health,
    PartitionOffset,
    Put,
    RestartRequest,
    State,
    Status,
    TargetState,
    TaskInfo,
)
from worker.runtime.refusals import (
    AlreadyExistsError,
    BadRequestError,
    NotFoundError,
    NotStoppedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORKER_ID = "pod-0:8083"


@dataclass
class _Connector:
    config: Mapping[str, str]
    target: TargetState
    failed: dict[int, str] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def tasks(self) -> range:
        stopped = self.target is TargetState.STOPPED
        return range(0 if stopped else int(self.config.get("tasks.max", "1")))


class MemoryHerder:
    """Keeps connectors in memory; ``fail``, ``read`` and ``commit`` are what tasks would do."""

    def __init__(self) -> None:
        self.well = Health(is_started=True)
        self.restarted: list[str] = []
        self.levels: dict[str, str] = {}
        self._connectors: dict[str, _Connector] = {}

    def fail(self, name: str, task: int, trace: str) -> None:
        self._connectors[name].failed[task] = trace

    def read(self, name: str, topic: str) -> None:
        self._connectors[name].topics.add(topic)

    def commit(self, name: str, topic: str, partition: int, offset: int) -> None:
        self._connectors[name].offsets[topic, partition] = offset

    def kafka_cluster_id(self) -> str:
        return "cluster-1"

    def health(self) -> Health:
        return self.well

    def connectors(self) -> Sequence[str]:
        return list(self._connectors)

    def connector(self, name: str) -> ConnectorInfo:
        found = self._get(name, NotFoundError.connector(name))
        return ConnectorInfo(name, found.config, found.tasks)

    def status(self, name: str) -> ConnectorStateInfo:
        found = self._get(name, NotFoundError.status_of(name))
        state = State(found.target.value)
        tasks = {
            number: Status(State.FAILED, WORKER_ID, found.failed[number])
            if number in found.failed
            else Status(state, WORKER_ID)
            for number in found.tasks
        }
        return ConnectorStateInfo(name, Status(state, WORKER_ID), tasks)

    def tasks(self, name: str) -> Sequence[TaskInfo]:
        found = self._get(name, NotFoundError.connector(name))
        config = {**found.config, "task.class": "EmbeddingSinkTask"}
        return [TaskInfo(number, config) for number in found.tasks]

    def create(
        self, name: str, config: Mapping[str, str], initial_state: TargetState
    ) -> ConnectorInfo:
        if name in self._connectors:
            raise AlreadyExistsError(name)
        self._connectors[name] = _Connector(config, initial_state)
        return self.connector(name)

    def put_config(self, name: str, config: Mapping[str, str]) -> Put:
        found = self._connectors.get(name)
        if found is None:
            return Put(self.create(name, config, TargetState.RUNNING), is_new=True)
        self._connectors[name] = replace(found, config=config, failed={})
        return Put(self.connector(name), is_new=False)

    def delete(self, name: str) -> None:
        self._get(name, NotFoundError.connector(name))
        del self._connectors[name]

    def pause(self, name: str) -> None:
        self._get(name, NotFoundError.unknown(name)).target = TargetState.PAUSED

    def resume(self, name: str) -> None:
        self._get(name, NotFoundError.unknown(name)).target = TargetState.RUNNING

    def stop(self, name: str) -> None:
        self._get(name, NotFoundError.unknown(name)).target = TargetState.STOPPED

    def restart(self, request: RestartRequest) -> ConnectorStateInfo:
        name = request.connector
        found = self._get(name, NotFoundError.unknown_to_restart(name))
        before = self.status(name)
        restarted = {
            number: replace(task, state=State.RESTARTING, trace="")
            for number, task in before.tasks.items()
            if request.include_tasks and (task.state is State.FAILED or not request.only_failed)
        }
        self.restarted += [f"{name}-{number}" for number in restarted]
        for number in restarted:
            found.failed.pop(number, None)
        connector = before.connector
        if not request.only_failed:
            self.restarted.append(name)
            connector = replace(connector, state=State.RESTARTING)
        return ConnectorStateInfo(name, connector, {**before.tasks, **restarted})

    def restart_task(self, name: str, number: int) -> None:
        found = self._get(name, NotFoundError.unknown_to_restart(name))
        if number not in found.tasks:
            raise NotFoundError.unknown_task(name, number)
        found.failed.pop(number, None)
        self.restarted.append(f"{name}-{number}")

    def active_topics(self, name: str) -> Sequence[str]:
        found = self._connectors.get(name)
        return list(found.topics) if found else []

    def reset_active_topics(self, name: str) -> None:
        if name in self._connectors:
            self._connectors[name].topics.clear()

    def offsets(self, name: str) -> Sequence[PartitionOffset]:
        found = self._get(name, NotFoundError.connector(name))
        return [PartitionOffset(*place, offset) for place, offset in found.offsets.items()]

    def alter_offsets(self, name: str, changes: Sequence[PartitionOffset]) -> None:
        found = self._stopped(name)
        if any(change.offset is not None and change.offset < 0 for change in changes):
            raise BadRequestError("An offset is below 0")
        for change in changes:
            if change.offset is None:
                found.offsets.pop((change.topic, change.partition), None)
            else:
                found.offsets[change.topic, change.partition] = change.offset

    def reset_offsets(self, name: str) -> None:
        self._stopped(name).offsets.clear()

    def set_logger_level(self, logger: str, level: str) -> None:
        self.levels[logger] = level

    def _stopped(self, name: str) -> _Connector:
        found = self._get(name, NotFoundError.connector(name))
        if found.target is not TargetState.STOPPED:
            raise NotStoppedError(name)
        return found

    def _get(self, name: str, missing: NotFoundError) -> _Connector:
        if name not in self._connectors:
            raise missing
        return self._connectors[name]
