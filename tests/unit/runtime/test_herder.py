"""The herder of each pod answers for all, and what one is asked for happens where it has to."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.runtime.fake_cluster import Cluster, Pod, have_a_task_each, shown
from worker.errors import FatalError, RetriableError
from worker.model import TopicPartition
from worker.runtime.port import PartitionOffset, RestartRequest, State, Status, TargetState
from worker.runtime.refusals import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    HerderError,
    NotFoundError,
    NotStoppedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = {"name": "products", "tasks.max": "2"}
RUNNING = ("RUNNING", ["RUNNING", "RUNNING"])


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


def create(pod: Pod, state: TargetState = TargetState.RUNNING) -> None:
    pod.herder.create("products", CONFIG, state)


def shows(pod: Pod, state: str, tasks: list[str]) -> Callable[[], bool]:
    return lambda: shown(pod.herder.status("products")) == (state, tasks)


def test_a_connector_added_on_one_pod_runs_on_both_and_each_tells_where(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(shows(second, *RUNNING))
    cluster.until(lambda: have_a_task_each(first, second))
    cluster.until(lambda: {one.worker_id for one in tasks_of(first)} == {"a:1", "b:1"})
    assert {one.worker_id for one in tasks_of(second)} == {"a:1", "b:1"}
    assert second.herder.connectors() == ["products"]
    assert second.herder.connector("products").config == CONFIG
    assert second.herder.connector("products").tasks == range(2)
    assert [task.number for task in second.herder.tasks("products")] == [0, 1]


def tasks_of(pod: Pod) -> list[Status]:
    return list(pod.herder.status("products").tasks.values())


def test_pods_that_give_the_same_address_do_not_quarrel(cluster: Cluster) -> None:
    first, second = cluster.pod("localhost:8083"), cluster.pod("localhost:8083")
    create(first)
    cluster.until(lambda: have_a_task_each(first, second))
    cluster.until(shows(first, *RUNNING))

    def is_quiet() -> bool:
        said = cluster.log.end
        for _ in range(50):
            first.keeper.wake()
            second.keeper.wake()
            time.sleep(0.002)
        return cluster.log.end == said

    cluster.until(is_quiet, "they agree")


def test_a_pod_that_dies_is_replaced(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(lambda: len(second.factory.running) == 1)
    cluster.until(shows(first, *RUNNING))
    cluster.kill(first)
    cluster.until(lambda: second.factory.numbers == [0, 1])
    cluster.until(lambda: {one.worker_id for one in tasks_of(second)} == {"b:1"})
    cluster.until(shows(second, *RUNNING))


def test_what_a_dead_pod_said_last_is_not_believed(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(shows(second, *RUNNING))
    second.keeper.stop(30.0)
    second.topic.hold()
    cluster.kill(first)
    assert "UNASSIGNED" in shown(second.herder.status("products"))[1]


def test_a_pod_that_leaves_gives_its_tasks_to_the_others(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(lambda: len(second.factory.running) == 1)
    assert cluster.stop(first)
    assert first.factory.running == []
    cluster.until(lambda: second.factory.numbers == [0, 1])


def test_a_restart_of_the_worker_forgets_nothing(cluster: Cluster) -> None:
    pod = cluster.pod()
    create(pod)
    cluster.until(shows(pod, *RUNNING))
    pod.herder.pause("products")
    cluster.until(shows(pod, "PAUSED", ["PAUSED", "PAUSED"]))
    cluster.stop(pod)
    cluster.log.compact()
    again = cluster.pod()
    cluster.until(shows(again, "PAUSED", ["PAUSED", "PAUSED"]))
    again.herder.resume("products")
    cluster.until(shows(again, *RUNNING))


def test_a_stop_ends_the_tasks_everywhere_and_a_resume_begins_them_again(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(shows(first, *RUNNING))
    second.herder.stop("products")
    assert shown(first.herder.status("products")) == ("STOPPED", [])
    cluster.until(lambda: not first.factory.running and not second.factory.running)
    first.herder.resume("products")
    cluster.until(shows(second, *RUNNING))


def test_a_connector_may_begin_stopped_or_paused(cluster: Cluster) -> None:
    pod = cluster.pod()
    create(pod, TargetState.STOPPED)
    assert shown(pod.herder.status("products")) == ("STOPPED", [])
    pod.herder.delete("products")
    create(pod, TargetState.PAUSED)
    cluster.until(shows(pod, "PAUSED", ["PAUSED", "PAUSED"]))
    assert all(task.is_paused for task in pod.factory.running)


def test_only_what_failed_is_restarted_wherever_it_runs(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(lambda: have_a_task_each(first, second))
    cluster.until(shows(first, *RUNNING))
    (other,) = first.factory.running
    (broken,) = second.factory.running
    before = len(second.factory.tasks)
    broken.fail(FatalError("no such index"))
    cluster.until(lambda: "FAILED" in shown(first.herder.status("products"))[1])
    failed = first.herder.status("products").tasks[broken.number]
    assert failed.worker_id == "b:1"
    assert failed.trace.startswith("worker.errors.FatalError: no such index")

    request = RestartRequest("products", include_tasks=True, only_failed=True)
    answer = first.herder.restart(request)

    assert answer.connector.state is State.RUNNING
    assert answer.tasks[broken.number].state is State.RESTARTING
    assert answer.tasks[other.number].state is State.RUNNING
    cluster.until(shows(first, *RUNNING))
    assert other.is_running
    assert len(second.factory.tasks) == before + 1


def test_all_tasks_restart_where_they_run(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(lambda: have_a_task_each(first, second))
    cluster.until(shows(first, *RUNNING))
    before = len(first.factory.tasks), len(second.factory.tasks)
    answer = second.herder.restart(RestartRequest("products", include_tasks=True))
    assert shown(answer) == ("RESTARTING", ["RESTARTING", "RESTARTING"])
    cluster.until(
        lambda: (
            (len(first.factory.tasks), len(second.factory.tasks)) == (before[0] + 1, before[1] + 1)
        )
    )
    cluster.until(shows(second, *RUNNING))


def test_one_task_restarts_alone(cluster: Cluster) -> None:
    pod = cluster.pod()
    create(pod)
    cluster.until(shows(pod, *RUNNING))
    pod.herder.restart_task("products", 1)
    cluster.until(lambda: [task.number for task in pod.factory.tasks].count(1) == 2)
    cluster.until(shows(pod, *RUNNING))
    assert [task.number for task in pod.factory.tasks].count(0) == 1
    with pytest.raises(NotFoundError, match="Unknown task: products-2"):
        pod.herder.restart_task("products", 2)


def test_a_new_config_is_taken_up_by_every_pod(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(shows(first, *RUNNING))
    put = second.herder.put_config("products", {**CONFIG, "generation": "2"})
    assert not put.is_new
    cluster.until(
        lambda: (
            [task.generation for pod in (first, second) for task in pod.factory.running]
            == ["2", "2"]
        )
    )
    assert first.herder.put_config("other", {"name": "other"}).is_new


def test_what_was_deleted_is_nowhere(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(shows(first, *RUNNING))
    second.herder.delete("products")
    with pytest.raises(NotFoundError, match="No status found for connector products"):
        first.herder.status("products")
    cluster.until(lambda: not first.keeper.connectors and not second.keeper.connectors)
    assert not first.factory.running
    assert not second.factory.running


def test_a_connector_that_fails_leaves_the_others_alone(cluster: Cluster) -> None:
    pod = cluster.pod()
    create(pod)
    pod.herder.put_config("bad", {"name": "bad", "bad": "1"})
    cluster.until(lambda: pod.herder.status("bad").connector.state is State.FAILED)
    assert "expected nothing of the kind" in pod.herder.status("bad").connector.trace
    cluster.until(shows(pod, *RUNNING))


def test_a_file_is_not_rests_to_change_but_to_pause_and_restart(cluster: Cluster) -> None:
    pod = cluster.pod()
    pod.drawer.write("products", tasks_max="1")
    cluster.until(lambda: pod.herder.connectors() == ["products"])
    with pytest.raises(BadRequestError, match=r"kept in the file /etc/products\.json"):
        pod.herder.put_config("products", CONFIG)
    with pytest.raises(BadRequestError, match="kept in the file"):
        pod.herder.delete("products")
    with pytest.raises(AlreadyExistsError, match="Connector products already exists"):
        create(pod)
    pod.herder.pause("products")
    cluster.until(shows(pod, "PAUSED", ["PAUSED"]))
    del pod.drawer.files["products"]
    cluster.until(lambda: not pod.factory.running)


def test_a_broken_file_shows_and_the_last_good_one_goes_on(cluster: Cluster) -> None:
    pod = cluster.pod()
    pod.drawer.write("products", tasks_max="1")
    cluster.until(shows(pod, "RUNNING", ["RUNNING"]))
    pod.drawer.write("products", problem="not valid JSON", tasks_max="1")
    cluster.until(shows(pod, "FAILED", ["RUNNING"]))
    assert pod.herder.status("products").connector.trace == "not valid JSON"


def test_an_older_generation_of_a_file_does_not_run(cluster: Cluster) -> None:
    pod = cluster.pod()
    pod.drawer.write("products", tasks_max="1")
    cluster.until(lambda: pod.factory.running)
    pod.drawer.files["products"] = replace(pod.drawer.files["products"], is_outdated=True)
    cluster.until(lambda: not pod.factory.running)
    pod.drawer.files["products"] = replace(pod.drawer.files["products"], is_outdated=False)
    cluster.until(lambda: pod.factory.running)


def test_a_wish_counts_also_where_a_newer_one_was_not_read_yet(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(shows(second, *RUNNING))
    second.topic.hold()
    first.herder.stop("products")
    second.herder.resume("products")
    cluster.until(shows(first, *RUNNING))


def test_a_home_that_cannot_be_looked_at_keeps_nobody_from_work(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    pod = cluster.pod()
    pod.drawer.write("files", tasks_max="1")
    cluster.until(lambda: pod.factory.numbers == [0])
    pod.drawer.error = ValueError("unforeseen")
    create(pod)
    cluster.until(lambda: pod.factory.numbers == [0, 0, 1])
    assert pod.herder.health().is_alive
    assert caplog.text.count("The Drawer could not be looked after") == 1


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
def test_an_unknown_connector_cannot_be_moved(cluster: Cluster, verb: str) -> None:
    pod = cluster.pod()
    with pytest.raises(NotFoundError, match="Unknown connector nobody"):
        getattr(pod.herder, verb)("nobody")
    with pytest.raises(NotFoundError, match="Unknown connector: nobody"):
        pod.herder.restart(RestartRequest("nobody"))


def test_offsets_move_only_while_the_connector_is_stopped(cluster: Cluster) -> None:
    pod = cluster.pod()
    create(pod)
    group = cluster.offsets["products"]
    group.offsets[TopicPartition("t", 0)] = 42
    assert pod.herder.offsets("products") == [PartitionOffset("t", 0, 42)]
    with pytest.raises(NotStoppedError, match="/connectors/products/stop"):
        pod.herder.reset_offsets("products")
    with pytest.raises(NotStoppedError, match="STOPPED state"):
        pod.herder.alter_offsets("products", [PartitionOffset("t", 0, 7)])
    pod.herder.stop("products")
    pod.herder.alter_offsets(
        "products", [PartitionOffset("t", 0, 7), PartitionOffset("t", 1, None)]
    )
    assert group.offsets == {TopicPartition("t", 0): 7}
    pod.herder.reset_offsets("products")
    assert pod.herder.offsets("products") == []


@pytest.mark.parametrize("wrong", [PartitionOffset("t", 5, 1), PartitionOffset("t", 0, 101)])
def test_offsets_that_do_not_exist_are_refused(cluster: Cluster, wrong: PartitionOffset) -> None:
    pod = cluster.pod()
    create(pod, TargetState.STOPPED)
    with pytest.raises(BadRequestError, match="of topic t"):
        pod.herder.alter_offsets("products", [wrong])


def test_what_kafka_refuses_is_an_answer(cluster: Cluster) -> None:
    pod = cluster.pod()
    create(pod, TargetState.STOPPED)
    cluster.offsets["products"].error = RetriableError("the group still has members")
    with pytest.raises(HerderError, match="the group still has members"):
        pod.herder.reset_offsets("products")
    pod.topic.down()
    with pytest.raises(HerderError, match="Request timed out"):
        pod.herder.resume("products")
    pod.topic.up()


def test_topics_are_active_once_a_record_was_read_and_after_a_reset_only_when_more_come(
    cluster: Cluster,
) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    create(first)
    cluster.until(lambda: have_a_task_each(first, second))
    (task,) = first.factory.running
    assert second.herder.active_topics("products") == []
    task.progress = {TopicPartition("t", 0): 1}
    cluster.until(lambda: second.herder.active_topics("products") == ["t"])
    second.herder.reset_active_topics("products")
    task.progress = {TopicPartition("t", 0): 1, TopicPartition("u", 0): 1}
    cluster.until(lambda: first.herder.active_topics("products") == ["u"])
    assert first.herder.active_topics("nobody") == []


def test_a_level_is_set_on_every_pod_and_not_on_one_that_comes_later(cluster: Cluster) -> None:
    first, second = cluster.pod("a:1"), cluster.pod("b:1")
    first.herder.set_logger_level("worker", "DEBUG")
    assert first.levels == second.levels == [("worker", "DEBUG")]
    assert cluster.pod("c:1").levels == []


def test_health_is_of_the_threads_of_keeper_and_tasks(cluster: Cluster) -> None:
    pod = cluster.pod()
    assert (pod.herder.health().is_started, pod.herder.health().is_alive) == (True, True)
    create(pod)
    cluster.until(shows(pod, *RUNNING))
    pod.factory.running[0].turned_s = time.monotonic() - 1000.0
    assert "has not polled" in pod.herder.health().detail
    assert not pod.herder.health().is_alive
    pod.keeper.stop(30.0)
    assert (pod.herder.health().is_started, pod.herder.health().is_alive) == (False, True)
    assert pod.herder.kafka_cluster_id() == "cluster-1"


def test_a_pod_that_has_not_read_everything_answers_nothing_and_changes_nothing(
    cluster: Cluster,
) -> None:
    pod = cluster.pod("b:1", starts=False)
    pod.topic.hold()
    create(cluster.pod("a:1"))
    asked: list[Callable[[], object]] = [
        pod.herder.connectors,
        lambda: pod.herder.connector("products"),
        lambda: pod.herder.status("products"),
        lambda: pod.herder.create("products", {**CONFIG, "other": "1"}, TargetState.STOPPED),
        lambda: pod.herder.put_config("products", {**CONFIG, "other": "1"}),
        lambda: pod.herder.delete("products"),
        lambda: pod.herder.stop("products"),
    ]
    said = cluster.log.keys()
    for ask in asked:
        with pytest.raises(ConflictError):
            ask()
    assert cluster.log.keys() == said
    pod.keeper.start()
    cluster.until(lambda: pod.keeper.is_current)
    assert pod.herder.connectors() == ["products"]


def test_all_have_failed_only_when_each_connector_has(cluster: Cluster) -> None:
    pod = cluster.pod()
    for name in ("one", "two", "three"):
        pod.drawer.write(name, tasks_max="1")
    cluster.until(lambda: pod.factory.numbers == [0, 0, 0])
    for task in pod.factory.running:
        task.fail(FatalError("gone"))
    cluster.until(lambda: len(pod.keeper.all_failed()) == 3)
    pod.herder.stop("one")
    cluster.until(lambda: len(pod.keeper.tasks) == 2)
    assert pod.keeper.all_failed() == []
    pod.factory.gate.clear()
    pod.herder.resume("one")
    cluster.until(lambda: len(pod.keeper.tasks) == 3)
    assert pod.keeper.all_failed() == []
    pod.factory.gate.set()
    cluster.until(lambda: len(pod.factory.running) == 1)
    assert pod.keeper.all_failed() == []


def test_a_connector_that_cannot_be_made_has_failed_too(cluster: Cluster) -> None:
    pod = cluster.pod()
    pod.drawer.write("one", tasks_max="1")
    pod.drawer.write("two", explodes="1")
    cluster.until(lambda: pod.factory.numbers == [0])
    pod.factory.running[0].fail(FatalError("gone"))
    cluster.until(lambda: len(pod.keeper.all_failed()) == 1)
    assert pod.keeper.refused() == ["two"]
    del pod.drawer.files["two"]
    cluster.until(lambda: pod.keeper.refused() == [])


def test_a_worker_is_ready_when_its_first_tasks_have_started_and_stays_so(
    cluster: Cluster,
) -> None:
    before = cluster.pod("a:1")
    create(before)
    cluster.until(shows(before, *RUNNING))
    cluster.stop(before)
    pod = cluster.pod("b:1", starts=False)
    pod.factory.gate.clear()
    pod.keeper.start()
    cluster.until(lambda: len(pod.keeper.tasks) == 2)
    assert not pod.herder.health().is_started
    assert "is starting" in pod.herder.health().detail
    pod.factory.gate.set()
    cluster.until(lambda: pod.herder.health().is_started)
    pod.factory.gate.clear()
    pod.herder.put_config("other", {"name": "other"})
    cluster.until(lambda: len(pod.keeper.tasks) == 3)
    assert pod.herder.health().is_started
    pod.factory.gate.set()
