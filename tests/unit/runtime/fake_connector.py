"""A connector's parts without Kafka: tasks that run until told to stop, fail or hang on demand."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, cast

from worker.errors import ConfigError
from worker.runtime.supervisor import Assembled, TaskSpec
from worker.runtime.wanted import Blueprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.model import TopicPartition
    from worker.pipeline.goal import Goal
    from worker.pipeline.task import Task

PATIENCE_S = 30.0


def until(holds: Callable[[], object], what: str = "") -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, f"never happened: {what}"
        time.sleep(0.002)


class FakeTask:
    """In a task's place."""

    def __init__(self, number: int, generation: str) -> None:
        self.number = number
        self.generation = generation
        self.is_paused = False
        self.rests = False
        self.polls_for_long = False
        self.is_running = False
        self.turned_s: float | None = None
        self.progress: Mapping[TopicPartition, int] = {}
        self._fate = threading.Event()
        self._error: BaseException | None = None

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = self.rests = False

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._fate.set()

    def run(self, stop: threading.Event, goal: Goal | None = None) -> None:
        self.is_running = True
        try:
            while not stop.is_set():
                self.rests = self.is_paused and not self.polls_for_long
                if self._fate.wait(0.002):
                    assert self._error is not None
                    raise self._error
            self.on_stop()
        finally:
            self.is_running = False

    def on_stop(self) -> None:
        """What it does before it ends."""


class FakeSlots:
    """Held as the test says."""

    def __init__(self, numbers: frozenset[int]) -> None:
        self.numbers = numbers
        self.is_closed = False

    def held(self) -> frozenset[int]:
        return self.numbers

    def close(self) -> None:
        self.is_closed = True

    @property
    def has_left(self) -> bool:
        return self.is_closed


class FakeParts:
    """One assembly."""

    def __init__(self, factory: FakeFactory, name: str, generation: str, tasks: int) -> None:
        self._factory = factory
        self._name = name
        self._generation = generation
        self._tasks = tasks
        self._made: list[FakeTask] = []
        self.is_closed = False

    def specs(self, *, until_caught_up: bool) -> list[TaskSpec]:
        return [self._spec(number) for number in range(self._tasks)]

    def _spec(self, number: int) -> TaskSpec:
        def make(_abort: threading.Event) -> Assembled:
            self._factory.gate.wait(PATIENCE_S)
            task = self._factory.task_type(number, self._generation)
            self._made.append(task)
            self._factory.tasks.append(task)
            return Assembled(cast("Task", task))

        return TaskSpec(self._name, number, make)

    def close(self) -> None:
        assert not [task for task in self._made if task.is_running]
        self.is_closed = True


class FakeFactory:
    """Draws blueprints; config ``{"bad": …}`` cannot be used, ``{"explodes": …}`` not be built."""

    def __init__(self) -> None:
        self.task_type: type[FakeTask] = FakeTask
        self.tasks: list[FakeTask] = []
        self.parts: list[FakeParts] = []
        self.slots: list[FakeSlots] = []
        self.reads = 0
        self.refuses_slots = False
        self.gate = threading.Event()
        """Tasks begin while it is set."""
        self.gate.set()

    @property
    def running(self) -> list[FakeTask]:
        return [task for task in self.tasks if task.is_running]

    @property
    def numbers(self) -> list[int]:
        return sorted(task.number for task in self.running)

    def draw(self, values: Mapping[str, str], origin: str) -> Blueprint:
        self.reads += 1
        if "bad" in values:
            raise ConfigError(f"{origin}: bad: expected nothing of the kind")
        count = int(values.get("tasks.max", "1"))
        return Blueprint(
            assemble=lambda: self._assemble(values, count),
            open_slots=lambda: self._open(count),
            lease=count,
            tasks_max=count,
        )

    def _assemble(self, values: Mapping[str, str], count: int) -> FakeParts:
        if "explodes" in values:
            raise ZeroDivisionError
        name, generation = values.get("name", "products"), values.get("generation", "1")
        made = FakeParts(self, name, generation, count)
        self.parts.append(made)
        return made

    def _open(self, count: int) -> FakeSlots:
        if self.refuses_slots:
            raise ConfigError("Kafka client: no such property")
        made = FakeSlots(frozenset(range(count)))
        self.slots.append(made)
        return made
