"""A group never works with two configs at a time."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.runtime.fake_cluster import Cluster, Pod, have_a_task_each, shown
from tests.unit.runtime.fake_connector import PATIENCE_S, FakeTask
from worker.clock import FakeClock
from worker.errors import ConfigError
from worker.homes.port import digest_of
from worker.runtime.port import TargetState
from worker.runtime.shifts import Shifts
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from worker.runtime.wanted import Blueprint, Draw
    from worker.state.port import Value


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


def config(generation: int, tasks: int = 2) -> dict[str, str]:
    return {"name": "products", "tasks.max": str(tasks), "generation": str(generation)}


def generations(*pods: Pod) -> list[str]:
    return sorted(task.generation for pod in pods for task in pod.factory.running)


def quick_and_slow(cluster: Cluster) -> tuple[Pod, Pod, threading.Event]:
    """A task on each of two pods; that of the second ends when the event says so."""
    may_end = threading.Event()

    class Slow(FakeTask):
        def on_stop(self) -> None:
            may_end.wait(PATIENCE_S)

    first = cluster.pod("a:1")
    first.herder.create("products", config(1), TargetState.RUNNING)
    cluster.until(lambda: len(first.factory.running) == 2)
    second = cluster.pod("b:1", starts=False)  # the quick one hands over, the slow one would not
    second.factory.task_type = Slow
    second.keeper.start()
    cluster.until(lambda: have_a_task_each(first, second))
    return first, second, may_end


def test_a_new_config_waits_for_the_slowest_task_of_the_old_one(cluster: Cluster) -> None:
    first, second, may_end = quick_and_slow(cluster)

    first.herder.put_config("products", config(2))
    cluster.until(lambda: generations(first) == [], "the quick one has ended")
    for _ in range(20):
        first.keeper.wake()
        time.sleep(0.01)
    assert generations(first, second) == ["1"]

    may_end.set()
    cluster.until(lambda: generations(first, second) == ["2", "2"])


def test_where_the_new_config_cannot_be_used_the_old_one_ends_once_others_begin(
    cluster: Cluster,
) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    draw = second.factory.draw

    def without_the_variable(values: Mapping[str, str], origin: str) -> Blueprint:
        if values["generation"] == "2":
            raise ConfigError(f"{origin}: the variable KEY is not set")
        return draw(values, origin)

    second.factory.draw = without_the_variable  # type: ignore[method-assign]
    first.herder.create("products", config(1), TargetState.RUNNING)
    cluster.until(lambda: have_a_task_each(first, second))

    first.herder.put_config("products", config(2))
    cluster.until(lambda: generations(first, second) == ["2", "2"], "the other takes its task over")
    assert "KEY is not set" in second.keeper.connectors["products"].failure

    second.herder.put_config("products", config(3))
    cluster.until(lambda: generations(first, second) == ["3", "3"])


def test_a_config_that_can_be_used_after_all_is_claimed_as_what_it_is(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    has_secret = threading.Event()
    for pod in (first, second):
        pod.factory.draw = with_secret(pod, has_secret)  # type: ignore[assignment, method-assign]
    first.herder.create("products", config(1), TargetState.RUNNING)
    cluster.until(lambda: have_a_task_each(first, second))
    first.herder.put_config("products", config(2))
    cluster.until(lambda: all(pod.keeper.connectors["products"].failure for pod in (first, second)))
    cluster.until(lambda: generations(first, second) == ["1", "1"], "the old one goes on")

    has_secret.set()
    number = first.factory.numbers[0]
    first.herder.restart_task("products", number)
    cluster.until(lambda: "1" not in generations(first, second), "nobody goes on with the old one")
    cluster.until(lambda: generations(first, second) == ["2", "2"])


def with_secret(pod: Pod, has_secret: threading.Event) -> Draw:
    draw = pod.factory.draw

    def drawn(values: Mapping[str, str], origin: str) -> Blueprint:
        if values["generation"] == "2" and not has_secret.is_set():
            raise ConfigError(f"{origin}: the variable KEY is not set")
        return draw(values, origin)

    return drawn


def test_who_knows_the_new_config_and_still_drains_draws_it_once(cluster: Cluster) -> None:
    first, second, may_end = quick_and_slow(cluster)
    first.herder.put_config("products", config(2))
    cluster.until(lambda: len(claims_of(cluster, "2")) == 1, "the first waits with its claim")
    reads = second.factory.reads
    for _ in range(20):
        second.keeper.wake()
        time.sleep(0.01)
    assert second.factory.reads <= reads + 1
    may_end.set()
    cluster.until(lambda: generations(first, second) == ["2", "2"])


def test_whoever_was_killed_holds_up_nobody(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    first.herder.create("products", config(1), TargetState.RUNNING)
    cluster.until(lambda: len(second.factory.running) == 1)
    cluster.kill(second)
    first.herder.put_config("products", config(2))
    cluster.until(lambda: generations(first) == ["2", "2"])


def test_who_has_no_task_any_more_holds_up_nobody(cluster: Cluster) -> None:
    first = cluster.pod("a:1")
    first.herder.create("products", config(1, tasks=1), TargetState.RUNNING)
    cluster.until(lambda: generations(first) == ["1"])
    second = cluster.pod("b:1")
    cluster.until(lambda: len(cluster.slots.members["products"]) == 2)
    cluster.slots.members["products"].reverse()
    cluster.until(lambda: (generations(first), generations(second)) == ([], ["1"]))
    second.herder.put_config("products", config(2, tasks=1))
    cluster.until(lambda: generations(first, second) == ["2"])


@pytest.mark.parametrize("verb", ["stop", "delete"])
def test_what_ends_leaves_nothing_behind(cluster: Cluster, verb: str) -> None:
    pods = cluster.pod("a:1"), cluster.pod("b:1")
    pods[0].herder.create("products", config(1), TargetState.RUNNING)
    cluster.until(lambda: generations(*pods) == ["1", "1"])
    getattr(pods[0].herder, verb)("products")
    cluster.until(lambda: not generations(*pods))
    cluster.until(lambda: not claims(cluster))


def claims(cluster: Cluster) -> dict[str, Value]:
    left: dict[str, Value | None] = {}
    reader = MemoryStateTopic(cluster.log)
    reader.attach("shift/", lambda _offset, key, value: left.update({key: value}))
    reader.close(0.0)
    return {key: value for key, value in left.items() if value is not None}


def claims_of(cluster: Cluster, generation: str) -> list[str]:
    wanted = digest_of(config(int(generation)))
    return [key for key, value in claims(cluster).items() if value["config"] == wanted]


def test_never_two_configs_whoever_changes_them_when(cluster: Cluster) -> None:
    chance = random.Random(7)
    at_work: list[str] = []
    mixed: list[list[str]] = []
    lock = threading.Lock()

    class Watched(FakeTask):
        def run(self, *given: object, **named: object) -> None:
            with lock:
                at_work.append(self.generation)
                if len(set(at_work)) > 1:
                    mixed.append(list(at_work))
            try:
                super().run(*given, **named)  # type: ignore[arg-type]
            finally:
                with lock:
                    at_work.remove(self.generation)

        def on_stop(self) -> None:
            time.sleep(chance.random() * 0.03)

    pods = [cluster.pod(f"{name}:1") for name in "abc"]
    for pod in pods:
        pod.factory.task_type = Watched
    pods[0].herder.create("products", config(0, tasks=5), TargetState.RUNNING)
    for generation in range(1, 30):
        chance.choice(pods).herder.put_config("products", config(generation, tasks=5))
        end_s = time.monotonic() + chance.random() * 0.1
        while time.monotonic() < end_s:
            chance.choice(pods).keeper.wake()
            time.sleep(0.005)
    cluster.until(lambda: generations(*pods) == ["29"] * 5)
    cluster.until(lambda: shown(pods[0].herder.status("products"))[1] == ["RUNNING"] * 5)
    assert not mixed


class Held(MemoryStateTopic):
    """What is posted reaches the readers when the test says so."""

    def __init__(self) -> None:
        super().__init__(MemoryLog())
        self.waiting: list[tuple[str, Value | None]] = []

    def post(self, key: str, value: Value | None) -> None:
        self.waiting.append((key, value))

    def let_through(self) -> None:
        for key, value in self.waiting:
            super().post(key, value)
        self.waiting.clear()


def test_a_claim_that_is_taken_back_does_not_count_while_that_is_on_its_way() -> None:
    topic = Held()
    shift = Shifts(topic, "pod-1", lambda _: True, FakeClock()).of("products")
    assert not shift.begin("one")
    topic.let_through()
    assert shift.begin("one")
    shift.end()
    assert not shift.begin("one")
    topic.let_through()
    assert shift.begin("one")


def test_claims_of_who_is_gone_are_taken_back() -> None:
    log = MemoryLog()
    gone = Shifts(MemoryStateTopic(log), "gone", lambda _: True, FakeClock()).of("products")
    assert not gone.begin("one")
    mine = Shifts(MemoryStateTopic(log), "mine", lambda pod: pod != "gone", FakeClock())
    assert not mine.of("products").begin("two")
    left = mine.of("products")
    assert not left.begin("two")
    assert left.begin("two")
    anew = Shifts(MemoryStateTopic(log), "anew", lambda _: True, FakeClock())
    assert anew.others("products").keys() == {"mine"}


class Forgetful(MemoryStateTopic):
    """What is posted first is lost, as in an outage that ends with the process."""

    def __init__(self) -> None:
        super().__init__(MemoryLog())
        self._has_lost_one = False

    def post(self, key: str, value: Value | None) -> None:
        if self._has_lost_one:
            super().post(key, value)
        self._has_lost_one = True


def test_what_an_outage_swallowed_is_said_again() -> None:
    clock = FakeClock()
    shift = Shifts(Forgetful(), "pod-1", lambda _: True, clock).of("products")
    assert not shift.begin("one")
    clock.advance(4.0)
    assert not shift.begin("one")
    assert not shift.begin("one")
    clock.advance(1.0)
    assert not shift.begin("one")
    assert shift.begin("one")
