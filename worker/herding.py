"""Puts a worker together: the homes of its connectors, the herder, and who keeps them running."""

from __future__ import annotations

import logging
import socket
import threading
import uuid
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from worker.build import Assembly
from worker.checks import CHECKS
from worker.clock import SystemClock
from worker.config import kafka
from worker.config.problem import refuse
from worker.config.read import Surroundings, read_connector
from worker.errors import ConfigError, RetriableError
from worker.homes.folder import FolderHome
from worker.homes.generations import NewestOfFolder
from worker.homes.pods import Pods
from worker.homes.topic import TopicHome
from worker.lasting import LastingAdmin
from worker.runtime.board import Board
from worker.runtime.health import Health
from worker.runtime.herder import PodHerder
from worker.runtime.keeper import Keeper
from worker.runtime.reporter import Reporter
from worker.runtime.shifts import LoneShift, Shifts
from worker.runtime.slots import AllSlots
from worker.runtime.wanted import Blueprint
from worker.settings import session_of
from worker.source.group_offsets import KafkaGroupOffsets
from worker.source.kafka_slots import KafkaSlots, KafkaSlotsSettings
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.memory import MemoryStateTopic
from worker.state.topic import StateTopicSpec
from worker.telemetry.levels import set_level
from worker.throttle.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.homes.port import Home
    from worker.runtime.port import TargetState
    from worker.runtime.slots import Slots
    from worker.runtime.supervisor import RunningTask
    from worker.state.port import StateTopic

_log = logging.getLogger(__name__)

_ASK_S = 5.0
_CLOSE_S = 5.0


class Herd:
    """All that a worker runs; ``start`` once, ``stop`` once.

    Raises:
        ConfigError: librdkafka does not take the worker's properties.
    """

    def __init__(self, worker: WorkerConfig, paths: Sequence[Path]) -> None:
        clock = SystemClock()
        self._worker = worker
        self._ends = threading.Event()
        self._stays = self._ends.is_set
        self._accounts = Accounts(clock)
        self._topic = _storage(worker)
        board = Board(self._topic, _set_level)
        folder: Home = FolderHome(paths, clock)
        pod = uuid.uuid4().hex
        self._pods = Pods(self._topic, pod, clock)
        shifts = Shifts(self._topic, pod, self._pods.may_live, clock)
        label = worker.settings.storage_topic or "memory"
        home = TopicHome(self._topic, label, self._pods.have)
        if self._is_shared:
            folder = NewestOfFolder(folder, self._topic, self._pods, clock)
        self.keeper = Keeper(
            homes=(folder, home),
            board=board,
            reporter=Reporter(board, pod, self.worker_id),
            draw=self._draw,
            shift_of=shifts.of if self._is_shared else lambda _: LoneShift(),
            clock=clock,
            end_within_s=worker.shutdown_timeout_s,
        )
        self.herder = PodHerder(
            worker_id=self.worker_id,
            keeper=self.keeper,
            board=board,
            home=home,
            open_offsets=self._offsets,
            cluster_id=lambda: self._cluster_id,
            is_live=self._pods.is_live,
            pulse=Health(
                lambda: self.keeper.tasks, self.keeper.stopping, worker.shutdown_timeout_s
            ),
        )

    @cached_property
    def worker_id(self) -> str:
        """Where the other pods find this one."""
        at = self._worker.advertised
        if at is None:
            return self._worker.worker_id or socket.gethostname()
        return f"{at.host}:{at.port}"

    def start(self) -> None:
        """Begin to look at the homes, and run what is there."""
        self.keeper.start()

    def stop(self, timeout_s: float) -> bool:
        """End everything in order; whether all tasks ended in time."""
        self._ends.set()
        ended = self.keeper.stop(timeout_s)
        if self._is_shared:
            self._pods.leave()
        self._topic.close(_CLOSE_S)
        return ended

    @property
    def _is_shared(self) -> bool:
        """Whether there may be other workers."""
        return self._worker.settings.storage_topic is not None

    def running(self) -> Iterator[tuple[Assembly, Sequence[RunningTask]]]:
        """What runs now, for metrics."""
        for connector in self.keeper.connectors.values():
            parts = connector.parts
            if isinstance(parts, Assembly):
                yield parts, connector.tasks

    def config(self, values: Mapping[str, str], origin: str) -> ConnectorConfig:
        """The settings that these values are.

        Raises:
            ConfigError: they are not valid.
        """
        around = Surroundings(self._worker, checks=CHECKS)
        reading = read_connector(values, around, file=origin)
        refuse(reading.problems)
        if reading.config is None:
            raise ConfigError(f"{origin}: the settings are not valid")
        return reading.config

    def _draw(self, values: Mapping[str, str], origin: str) -> Blueprint:
        config = self.config(values, origin)
        tasks_max = config.connector.tasks_max
        properties = kafka.slot_consumer_properties(self._worker, config)
        return Blueprint(
            assemble=lambda: Assembly.of(self._worker, config, self._accounts, self._stays),
            open_slots=lambda: self._slots(config),
            lease=(config.group_id, tasks_max, dict(properties)),
            tasks_max=tasks_max,
        )

    def _slots(self, config: ConnectorConfig) -> Slots:
        worker, tasks_max = self._worker, config.connector.tasks_max
        if worker.settings.storage_topic is None:
            return AllSlots(tasks_max)
        properties = kafka.slot_consumer_properties(worker, config)
        return KafkaSlots(
            KafkaSlotsSettings(
                topic=config.slots_topic,
                tasks_max=tasks_max,
                consumer=properties,
                admin=kafka.admin_properties(worker, config),
                session_s=session_of(properties),
                replication_factor=worker.settings.storage_replication,
                stays=self._stays,
            )
        )

    def _offsets(self, values: Mapping[str, str], origin: str) -> KafkaGroupOffsets:
        config = self.config(values, origin)
        return KafkaGroupOffsets(config.group_id, kafka.admin_properties(self._worker, config))

    @cached_property
    def _admin(self) -> LastingAdmin:
        return LastingAdmin({"log_level": 2, **kafka.storage_admin_properties(self._worker)})

    @property
    def _cluster_id(self) -> str:
        try:
            return str(self._admin.list_topics(timeout=_ASK_S).cluster_id)
        except KafkaException as error:
            _log.debug("The cluster's id is not known: %s.", error.args[0])
            return ""


def _storage(worker: WorkerConfig) -> StateTopic:
    """What all workers share; of one that stands alone it ends with the process."""
    name = worker.settings.storage_topic
    if name is None:
        return MemoryStateTopic()
    return KafkaStateTopic(
        KafkaStateSettings(
            topic=StateTopicSpec(name, replication_factor=worker.settings.storage_replication),
            consumer=kafka.storage_consumer_properties(worker),
            producer=kafka.storage_producer_properties(worker),
            admin=kafka.storage_admin_properties(worker),
        )
    )


def target_of(worker: WorkerConfig, connector: str) -> TargetState:
    """What a connector should be, as the workers' common topic says; running if they have none.

    Raises:
        RetriableError: the brokers do not answer.
        FatalError: the topic cannot be read.
    """
    topic = _storage(worker)
    try:
        board = Board(topic, lambda _logger, _level: None)
        if not board.caught_up(_ASK_S):
            raise RetriableError("what the workers have in common could not be read in time")
        return board.target(connector)
    finally:
        topic.close(_CLOSE_S)


def _set_level(logger: str, level: str) -> None:
    """Somebody asked some pod for it, which has checked that it can be."""
    with suppress(ValueError):
        set_level(logger, level)
