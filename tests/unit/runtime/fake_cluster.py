"""Several pods in this process: one topic in memory, and task slots that they share out."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.unit.runtime.fake_connector import FakeFactory, until
from worker.clock import SystemClock
from worker.homes.port import Stored
from worker.homes.topic import TopicHome
from worker.runtime.board import Board
from worker.runtime.health import Health
from worker.runtime.herder import PodHerder
from worker.runtime.keeper import Keeper
from worker.runtime.reporter import Reporter
from worker.runtime.shifts import Shifts
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.model import TopicPartition
    from worker.runtime.port import ConnectorStateInfo
    from worker.runtime.wanted import Blueprint


class SlotTable:
    """Who holds what: the numbers of each connector, dealt out to its members in turn."""

    def __init__(self) -> None:
        self.members: defaultdict[str, list[SharedSlots]] = defaultdict(list)

    def join(self, connector: str, count: int) -> SharedSlots:
        made = SharedSlots(self.members[connector], count)
        self.members[connector].append(made)
        return made


class SharedSlots:
    """One pod's share."""

    def __init__(self, members: list[SharedSlots], count: int) -> None:
        self._members = members
        self._count = count

    def held(self) -> frozenset[int]:
        members = list(self._members)
        if self not in members:
            return frozenset()
        return frozenset(range(members.index(self), self._count, len(members)))

    def close(self) -> None:
        if self in self._members:
            self._members.remove(self)

    @property
    def has_left(self) -> bool:
        return self not in self._members


class Drawer:
    """A folder in a test's hand."""

    def __init__(self) -> None:
        self.files: dict[str, Stored] = {}
        self.error: Exception | None = None

    def look(self) -> None:
        """The test tells."""
        if self.error is not None:
            raise self.error

    def stored(self) -> Mapping[str, Stored]:
        return dict(self.files)

    def write(self, name: str, problem: str = "", **values: str) -> None:
        values = {key.replace("_", "."): text for key, text in values.items()}
        self.files[name] = Stored({"name": name, **values}, f"/etc/{name}.json", problem)


@dataclass
class FakeOffsets:
    """A group's offsets; two partitions with offsets 0 to 100."""

    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    error: Exception | None = None

    def committed(self) -> Mapping[TopicPartition, int]:
        self._raise()
        return dict(self.offsets)

    def bounds(self, places: frozenset[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        return {place: (0, 100) for place in places if place.partition < 2}

    def alter(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        self._raise()
        for place, offset in offsets.items():
            if offset is None:
                self.offsets.pop(place, None)
            else:
                self.offsets[place] = offset

    def reset(self) -> None:
        self._raise()
        self.offsets.clear()

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


class Pod:
    """A worker without Kafka."""

    def __init__(self, cluster: Cluster, worker_id: str) -> None:
        clock = SystemClock()
        self.pod_id = pod_id = uuid.uuid4().hex
        self.worker_id = worker_id
        self.factory = FakeFactory()
        self.drawer = Drawer()
        self.levels: list[tuple[str, str]] = []
        self.slots: list[SharedSlots] = []
        self.topic = MemoryStateTopic(cluster.log)
        self._cluster = cluster
        board = Board(self.topic, lambda logger, level: self.levels.append((logger, level)))
        home = TopicHome(self.topic, "configs")
        self.keeper = Keeper(
            homes=(self.drawer, home),
            board=board,
            reporter=Reporter(board, pod_id, worker_id),
            draw=self._draw,
            shift_of=Shifts(self.topic, pod_id, cluster.is_live, clock).of,
            clock=clock,
            end_within_s=30.0,
        )
        self.herder = PodHerder(
            worker_id=worker_id,
            keeper=self.keeper,
            board=board,
            home=home,
            open_offsets=lambda values, _origin: cluster.offsets[values["name"]],
            cluster_id=lambda: "cluster-1",
            is_live=cluster.is_live,
            pulse=Health(lambda: self.keeper.tasks, self.keeper.stopping),
        )

    def _draw(self, values: Mapping[str, str], origin: str) -> Blueprint:
        drawn = self.factory.draw(values, origin)
        return replace(drawn, open_slots=lambda: self._join(values["name"], drawn.tasks_max))

    def _join(self, connector: str, count: int) -> SharedSlots:
        made = self._cluster.slots.join(connector, count)
        self.slots.append(made)
        return made


class Cluster:
    """Pods come by ``pod`` and go by ``stop`` or ``kill``."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.slots = SlotTable()
        self.offsets: defaultdict[str, FakeOffsets] = defaultdict(FakeOffsets)
        self.pods: dict[str, Pod] = {}

    def pod(self, worker_id: str = "pod-0:8083", *, starts: bool = True) -> Pod:
        made = Pod(self, worker_id)
        self.pods[made.pod_id] = made
        if starts:
            made.keeper.start()
            until(lambda: made.keeper.is_current)
        return made

    def is_live(self, pod_id: str) -> bool:
        return pod_id in self.pods

    def stop(self, pod: Pod) -> bool:
        ended = pod.keeper.stop(30.0)
        pod.topic.close(0.0)
        del self.pods[pod.pod_id]
        return ended

    def kill(self, pod: Pod) -> None:
        """It says nothing more, and its session ends."""
        pod.topic.crash()
        for members in self.slots.members.values():
            members[:] = [one for one in members if one not in pod.slots]
        del self.pods[pod.pod_id]
        pod.keeper.stop(30.0)

    def until(self, holds: Callable[[], object], what: str = "") -> None:
        def woken() -> object:
            for pod in self.pods.values():
                pod.keeper.wake()
            return holds()

        until(woken, what)

    def close(self) -> None:
        for pod in list(self.pods.values()):
            self.stop(pod)


def have_a_task_each(first: Pod, second: Pod) -> bool:
    """Whether two tasks are shared out for good.

    Before, a task on its way to one pod may be seen on both, or on the other in place of its own.
    """
    running = [[task.number for task in pod.factory.running] for pod in (first, second)]
    return running in ([[0], [1]], [[1], [0]])


def shown(status: ConnectorStateInfo) -> tuple[str, list[str]]:
    """The connector's state and those of its tasks."""
    tasks = [status.tasks[number].state.value for number in sorted(status.tasks)]
    return status.connector.state.value, tasks
