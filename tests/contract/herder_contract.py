"""What every herder promises whoever answers REST; its own test file brings one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.state_contract import eventually
from worker.runtime.port import PartitionOffset, RestartRequest, State, TargetState
from worker.runtime.refusals import AlreadyExistsError, NotFoundError, NotStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.runtime.port import Herder

CONFIG = {"name": "docs", "tasks.max": "2", "topics": "t"}
ALL = RestartRequest("docs", include_tasks=True)


def states(herder: Herder) -> list[State]:
    """Of the connector, then of its tasks."""
    status = herder.status("docs")
    return [status.connector.state, *(one.state for _, one in sorted(status.tasks.items()))]


def shows(herder: Herder, *expected: State) -> Callable[[], bool]:
    return lambda: states(herder) == list(expected)


def create(herder: Herder, state: TargetState = TargetState.RUNNING) -> None:
    herder.create("docs", CONFIG, state)


class HerderContract:
    """Fixture ``herder``."""

    def test_a_connector_that_was_made_is_there_and_comes_to_run(self, herder: Herder) -> None:
        assert herder.health().is_started
        info = herder.create("docs", CONFIG, TargetState.RUNNING)
        assert (info.name, dict(info.config), list(info.tasks)) == ("docs", CONFIG, [0, 1])
        assert list(herder.connectors()) == ["docs"]
        assert herder.connector("docs") == info
        assert [one.number for one in herder.tasks("docs")] == [0, 1]
        assert herder.tasks("docs")[1].config == {**CONFIG, "task.class": "EmbeddingSinkTask"}
        eventually(shows(herder, State.RUNNING, State.RUNNING, State.RUNNING))
        assert all(one.worker_id for one in herder.status("docs").tasks.values())

    def test_a_name_is_taken_once(self, herder: Herder) -> None:
        create(herder)
        with pytest.raises(AlreadyExistsError, match="Connector docs already exists"):
            create(herder)

    def test_a_config_is_put_for_what_is_new_and_for_what_is_there(self, herder: Herder) -> None:
        assert herder.put_config("docs", CONFIG).is_new
        put = herder.put_config("docs", {**CONFIG, "tasks.max": "1"})
        assert not put.is_new
        assert list(put.info.tasks) == [0]
        eventually(shows(herder, State.RUNNING, State.RUNNING))

    def test_a_new_config_leaves_a_paused_connector_paused(self, herder: Herder) -> None:
        create(herder, TargetState.PAUSED)
        herder.put_config("docs", {**CONFIG, "tasks.max": "1"})
        eventually(shows(herder, State.PAUSED, State.PAUSED))

    def test_it_is_paused_stopped_and_resumed_as_often_as_one_likes(self, herder: Herder) -> None:
        create(herder)
        for _ in range(2):
            herder.pause("docs")
        eventually(shows(herder, State.PAUSED, State.PAUSED, State.PAUSED))
        for _ in range(2):
            herder.stop("docs")
        eventually(shows(herder, State.STOPPED))
        assert list(herder.connector("docs").tasks) == []
        assert list(herder.tasks("docs")) == []
        for _ in range(2):
            herder.resume("docs")
        eventually(shows(herder, State.RUNNING, State.RUNNING, State.RUNNING))

    def test_a_restart_tells_what_is_about_to_restart(self, herder: Herder) -> None:
        create(herder)
        eventually(shows(herder, State.RUNNING, State.RUNNING, State.RUNNING))
        answer = herder.restart(ALL)
        assert answer.connector.state is State.RESTARTING
        assert {one.state for one in answer.tasks.values()} == {State.RESTARTING}
        eventually(shows(herder, State.RUNNING, State.RUNNING, State.RUNNING))
        answer = herder.restart(RestartRequest("docs", include_tasks=True, only_failed=True))
        assert {answer.connector.state, *(one.state for one in answer.tasks.values())} == {
            State.RUNNING
        }
        herder.restart_task("docs", 1)
        eventually(shows(herder, State.RUNNING, State.RUNNING, State.RUNNING))

    def test_offsets_are_changed_only_while_it_is_stopped(self, herder: Herder) -> None:
        create(herder)
        change = [PartitionOffset("t", 0, 5), PartitionOffset("t", 1, 6)]
        with pytest.raises(NotStoppedError):
            herder.alter_offsets("docs", change)
        with pytest.raises(NotStoppedError):
            herder.reset_offsets("docs")
        herder.stop("docs")
        herder.alter_offsets("docs", change)
        herder.alter_offsets("docs", [PartitionOffset("t", 1, None)])
        assert list(herder.offsets("docs")) == [PartitionOffset("t", 0, 5)]
        herder.reset_offsets("docs")
        assert list(herder.offsets("docs")) == []

    def test_what_was_deleted_is_nowhere_and_may_come_again(self, herder: Herder) -> None:
        create(herder, TargetState.STOPPED)
        herder.delete("docs")
        assert list(herder.connectors()) == []
        create(herder)
        eventually(shows(herder, State.RUNNING, State.RUNNING, State.RUNNING))

    def test_what_is_unknown_is_said_in_connects_words(self, herder: Herder) -> None:
        asked: list[tuple[Callable[[], object], str]] = [
            (lambda: herder.connector("x"), "Connector x not found"),
            (lambda: herder.tasks("x"), "Connector x not found"),
            (lambda: herder.delete("x"), "Connector x not found"),
            (lambda: herder.offsets("x"), "Connector x not found"),
            (lambda: herder.alter_offsets("x", []), "Connector x not found"),
            (lambda: herder.reset_offsets("x"), "Connector x not found"),
            (lambda: herder.status("x"), "No status found for connector x"),
            (lambda: herder.pause("x"), "Unknown connector x"),
            (lambda: herder.resume("x"), "Unknown connector x"),
            (lambda: herder.stop("x"), "Unknown connector x"),
            (lambda: herder.restart(RestartRequest("x")), "Unknown connector: x"),
            (lambda: herder.restart_task("x", 0), "Unknown connector: x"),
        ]
        for ask, message in asked:
            with pytest.raises(NotFoundError) as refused:
                ask()
            assert str(refused.value) == message
        assert list(herder.active_topics("x")) == []
        herder.reset_active_topics("x")
        create(herder)
        with pytest.raises(NotFoundError, match="Unknown task: docs-2"):
            herder.restart_task("docs", 2)
