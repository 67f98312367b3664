"""The ``Herder`` of one pod: answers for all pods by what is on the board."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.errors import RetriableError, WorkerError
from worker.model import TopicPartition
from worker.runtime.offsets import check_offsets
from worker.runtime.port import (
    ConnectorInfo,
    ConnectorStateInfo,
    Health,
    PartitionOffset,
    Put,
    TargetState,
    TaskInfo,
)
from worker.runtime.refusals import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    HerderError,
    NotFoundError,
    NotStoppedError,
)
from worker.runtime.register import Register
from worker.runtime.restart import Restart, planned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.homes.port import OpenHome, Stored
    from worker.runtime.board import Board
    from worker.runtime.health import Health as Pulse
    from worker.runtime.keeper import Keeper
    from worker.runtime.offsets import OpenOffsets
    from worker.runtime.port import RestartRequest


class PodHerder:
    """See ``worker.runtime.port.Herder``. Thread-safe."""

    def __init__(  # noqa: PLR0913 - what it answers from
        self,
        *,
        worker_id: str,
        keeper: Keeper,
        board: Board,
        home: OpenHome,
        open_offsets: OpenOffsets,
        cluster_id: Callable[[], str],
        is_live: Callable[[str], bool],
        pulse: Pulse,
    ) -> None:
        """``home`` takes what comes by REST; ``is_live``: was a pod heard of lately?"""
        self._register = Register(worker_id, keeper, board, is_live)
        self._keeper = keeper
        self._board = board
        self._home = home
        self._open_offsets = open_offsets
        self._cluster_id = cluster_id
        self._pulse = pulse
        self._has_begun = False

    def kafka_cluster_id(self) -> str:
        """Ask the brokers, once."""
        return self._cluster_id()

    def health(self) -> Health:
        """Of the keeper's thread and of those of the tasks.

        Once it has begun a worker stays ready until it ends, also while new tasks start: to hold
        back other pods or requests would not help them.
        """
        live, ready = self._pulse.live(), self._pulse.ready()
        reasons = [*self._keeper_reasons(), *live.reasons]
        self._has_begun = self._has_begun or (self._keeper.is_current and ready.is_good)
        is_started = self._has_begun and not self._keeper.is_stopping
        detail = "; ".join(reasons or ([] if is_started else ready.reasons))
        return Health(is_started=is_started, is_alive=not reasons, detail=detail)

    def connectors(self) -> Sequence[str]:
        """Of all homes, by name."""
        return sorted(self._known())

    def connector(self, name: str) -> ConnectorInfo:
        """As stored."""
        return self._register.info(name, self._stored(name, NotFoundError.connector(name)))

    def status(self, name: str) -> ConnectorStateInfo:
        """As the pods said."""
        return self._register.status(name, self._stored(name, NotFoundError.status_of(name)))

    def tasks(self, name: str) -> Sequence[TaskInfo]:
        """All have the connector's config."""
        return self._register.tasks(name, self._stored(name, NotFoundError.connector(name)))

    def create(
        self, name: str, config: Mapping[str, str], initial_state: TargetState
    ) -> ConnectorInfo:
        """The state first, so that no pod starts what is to be stopped."""
        if name in self._known():
            raise AlreadyExistsError(name)
        with self._writing():
            self._board.set_target(name, initial_state)
            self._home.put(name, config)
        return self.connector(name)

    def put_config(self, name: str, config: Mapping[str, str]) -> Put:
        """Every pod takes it up as soon as it reads it."""
        is_new = name not in self._known()
        self._refuse_foreign(name)
        with self._writing():
            self._home.put(name, config)
        return Put(self.connector(name), is_new)

    def delete(self, name: str) -> None:
        """Every pod ends it; what the index holds stays."""
        self._stored(name, NotFoundError.connector(name))
        self._refuse_foreign(name)
        with self._writing():
            self._home.remove(name)
            self._board.forget(name)

    def pause(self, name: str) -> None:
        """For all pods, also after a restart."""
        self._aim(name, TargetState.PAUSED)

    def resume(self, name: str) -> None:
        """The same."""
        self._aim(name, TargetState.RUNNING)

    def stop(self, name: str) -> None:
        """The same."""
        self._aim(name, TargetState.STOPPED)

    def restart(self, request: RestartRequest) -> ConnectorStateInfo:
        """Ask whoever runs the tasks."""
        name = request.connector
        self._stored(name, NotFoundError.unknown_to_restart(name))
        restart = planned(request, self.status(name))
        self._begin(name, restart)
        return restart.after

    def restart_task(self, name: str, number: int) -> None:
        """Ask whoever runs it."""
        self._stored(name, NotFoundError.unknown_to_restart(name))
        now = self.status(name)
        if number not in now.tasks:
            raise NotFoundError.unknown_task(name, number)
        self._begin(name, Restart(now, (number,)))

    def active_topics(self, name: str) -> Sequence[str]:
        """As the pods said."""
        return self._board.topics(name)

    def reset_active_topics(self, name: str) -> None:
        """For all pods."""
        with self._writing():
            self._board.reset_topics(name)

    def offsets(self, name: str) -> Sequence[PartitionOffset]:
        """As the brokers say."""
        stored = self._stored(name, NotFoundError.connector(name))
        with self._writing():
            committed = self._open_offsets(stored.values, stored.origin).committed()
        return [PartitionOffset(*place, offset) for place, offset in sorted(committed.items())]

    def alter_offsets(self, name: str, changes: Sequence[PartitionOffset]) -> None:
        """Within what the topics hold."""
        stored = self._stopped(name)
        wanted = {TopicPartition(one.topic, one.partition): one.offset for one in changes}
        with self._writing():
            group = self._open_offsets(stored.values, stored.origin)
            check_offsets(wanted, group.bounds(frozenset(wanted)))
            group.alter(wanted)

    def reset_offsets(self, name: str) -> None:
        """The group begins anew."""
        stored = self._stopped(name)
        with self._writing():
            self._open_offsets(stored.values, stored.origin).reset()

    def set_logger_level(self, logger: str, level: str) -> None:
        """By the board."""
        with self._writing():
            self._board.set_level(logger, level)

    def _keeper_reasons(self) -> list[str]:
        keeper = self._keeper
        if keeper.failure is not None:
            return [str(keeper.failure)]
        return [] if keeper.is_alive or keeper.is_stopping else ["the keeper's thread stands still"]

    def _known(self) -> Mapping[str, Stored]:
        """The configs of all homes; half of them would pass for all.

        Raises:
            ConflictError: they are not read yet.
        """
        if not self._keeper.is_current:
            raise ConflictError.rebalance()
        return self._keeper.stored()

    def _stored(self, name: str, error: HerderError) -> Stored:
        stored = self._known().get(name)
        if stored is None:
            raise error
        return stored

    def _stopped(self, name: str) -> Stored:
        stored = self._stored(name, NotFoundError.connector(name))
        if self._board.target(name) is not TargetState.STOPPED:
            raise NotStoppedError(name)
        return stored

    def _refuse_foreign(self, name: str) -> None:
        """What another home has is not REST's to change."""
        stored = self._known().get(name)
        if stored is not None and stored is not self._home.stored().get(name):
            raise BadRequestError(
                f"Connector {name} is kept in the file {stored.origin}: change it there"
            )

    def _aim(self, name: str, target: TargetState) -> None:
        self._stored(name, NotFoundError.unknown(name))
        with self._writing():
            self._board.set_target(name, target)

    def _begin(self, name: str, restart: Restart) -> None:
        """The request goes first: who reads that its task restarts knows why."""
        with self._writing():
            self._board.ask_restart(name, restart.tasks, reread=restart.rereads)
            posted = self._board.tasks(name)
            for number, status in restart.changed.items():
                self._board.post_task(name, number, status, posted[number].pod)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """What Kafka refuses is an answer, too; what was changed is taken up at once."""
        try:
            yield
        except HerderError:
            raise
        except RetriableError as error:
            raise HerderError(f"Request timed out: {error}") from error
        except WorkerError as error:
            raise HerderError(str(error)) from error
        finally:
            self._keeper.wake()
