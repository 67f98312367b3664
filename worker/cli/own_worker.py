"""A worker inside a command, for as long as nobody else does the work."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from worker.build import Assembly
from worker.clock import SystemClock
from worker.config import kafka
from worker.herding import target_of
from worker.overview.kafka import KafkaBrokers
from worker.runtime.port import TargetState
from worker.runtime.supervisor import Supervisor
from worker.source.clients import KafkaSourceSettings
from worker.source.subscription import Subscription
from worker.throttle.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.overview.port import Brokers

_LOOK_EVERY_S = 5.0
_ALONE_S = 15.0
"""A group that has no member for so long will not have one: a rebalance or a restart is shorter."""


class StandIn:
    """Runs the connector's tasks if its group has no member, and only then."""

    def __init__(
        self, worker: WorkerConfig, config: ConnectorConfig, brokers: Brokers | None = None
    ) -> None:
        """``brokers`` are those of the config, if None."""
        self._worker = worker
        self._config = config
        self._brokers = brokers or _kafka(worker, config)
        self._supervisor: Supervisor | None = None
        self._assembly: Assembly | None = None
        self._has_others = False
        """In the group, as it was looked at last."""
        self._alone_since_s: float | None = None
        self._look_at_s = 0.0
        self.obstacle = ""
        """Why it does not work though nobody else does."""

    @property
    def is_working(self) -> bool:
        """Whether the work is done here."""
        return self._supervisor is not None

    def look(self, patience_s: float = _ALONE_S) -> None:
        """Begin to work if the group has had no member for so long; to be called often.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
            WorkerError: all tasks that were started here have failed.
        """
        if self._supervisor is not None:
            self._check(self._supervisor)
            return
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + _LOOK_EVERY_S
        self._has_others = bool(self._brokers.group().members)
        if self._has_others:
            self._alone_since_s, self.obstacle = None, ""
            return
        self._alone_since_s = self._alone_since_s or now_s
        if now_s - self._alone_since_s >= patience_s:
            self._begin_unless_unwanted()

    def why(self, notes: Iterable[str]) -> str:
        """Why letters wait; ``notes`` of owners count only while there is one.

        What one that was killed has left behind is taken back by the next one.
        """
        return self.obstacle or ("; ".join(notes) if self._has_owner else "")

    @property
    def _has_owner(self) -> bool:
        if self._supervisor is None:
            return self._has_others
        tasks = (running.assembled for running in self._supervisor.tasks)
        return any(one is not None and one.task.holds_partitions for one in tasks)

    def close(self) -> None:
        """Leave the group in order."""
        self._brokers.close()
        if self._supervisor is None or self._assembly is None:
            return
        self._supervisor.stop(self._worker.shutdown_timeout_s)
        self._assembly.close()

    def _begin_unless_unwanted(self) -> None:
        """Who stopped a connector may be about to set back its offsets."""
        target = target_of(self._worker, self._config.name)
        if target is TargetState.RUNNING:
            self.obstacle = ""
            self._begin()
        else:
            self.obstacle = f"the connector is {target.value.lower()}: resume it"

    def _begin(self) -> None:
        self._assembly = Assembly.of(self._worker, self._config, Accounts(SystemClock()))
        specs = self._assembly.specs(until_caught_up=False)
        self._supervisor = Supervisor(specs, threading.Event())
        self._supervisor.start()

    def _check(self, supervisor: Supervisor) -> None:
        if supervisor.is_running:
            return
        for task in supervisor.failures:
            if task.error is not None:
                raise task.error


def _kafka(worker: WorkerConfig, config: ConnectorConfig) -> KafkaBrokers:
    settings = KafkaSourceSettings(
        consumer=kafka.reader_properties(worker, config),
        admin=kafka.admin_properties(worker, config),
        subscription=Subscription(config.subscription),
    )
    return KafkaBrokers(config.group_id, settings, config.dlq_group_id)


def end(code: int) -> int:
    """The exit code; a call that outlived the shutdown would keep the interpreter for ever."""
    if threading.active_count() > 1:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
