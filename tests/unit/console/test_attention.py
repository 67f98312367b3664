"""What an operator reads first at night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.console.shop import Shop, open_shop
from worker.console.attention import Severity, first_line, in_order, notices, worst
from worker.console.port import Seen
from worker.runtime.port import ConnectorStateInfo, State, Status

if TYPE_CHECKING:
    from worker.console.attention import Notice


def found(shop: Shop, name: str) -> list[Notice]:
    return list(notices(shop.herder.status(name), shop.seen(name)))


def test_a_failed_task_says_why_since_when_and_what_to_do() -> None:
    shop = open_shop()
    (notice,) = found(shop, "orders")
    assert notice.severity is Severity.CRITICAL
    assert notice.what.startswith("1 of 3 tasks failed: Pinecone refuses the key (401)")
    assert notice.action == "restart"
    assert notice.since_ms is not None


def test_what_runs_well_says_nothing() -> None:
    assert found(open_shop(), "order-lines") == []


def test_open_letters_lead_to_the_letters() -> None:
    (notice,) = found(open_shop(), "products")
    assert notice.what.startswith("38 dead letters are open, the newest one TextRefused at ")
    assert notice.action == "letters"


def test_a_spent_budget_is_said_once() -> None:
    said = [notice.what for notice in found(open_shop(), "reviews")]
    assert said[0] == "Today's budget is spent: rows wait until 00:00 UTC"
    assert not any("98%" in what or "99%" in what for what in said)


def test_rows_that_wait_for_a_paused_connector_offer_to_resume() -> None:
    (notice,) = found(open_shop(), "customers")
    assert (notice.severity, notice.action) == (Severity.NOTICE, "resume")
    assert notice.what == "It is paused and 1,284 rows wait"


def test_a_config_that_cannot_be_used_leads_to_the_editor() -> None:
    trace = "worker.errors.ConfigError: store.index: expected a name\n\tat x"
    status = ConnectorStateInfo("docs", Status(State.FAILED, "a:1", trace))
    (notice,) = notices(status, Seen())
    assert notice.what == "Its configuration cannot be used: store.index: expected a name"
    assert notice.action == "edit"


def test_tasks_without_a_pod_are_said_of_what_should_run() -> None:
    alone = {0: Status(State.RUNNING, "a:1"), 1: Status(State.UNASSIGNED, "a:1")}
    running = ConnectorStateInfo("docs", Status(State.RUNNING, "a:1"), alone)
    assert [one.what for one in notices(running, Seen())] == ["1 of 2 tasks run on no pod"]
    paused = ConnectorStateInfo("docs", Status(State.PAUSED, "a:1"), alone)
    assert list(notices(paused, Seen())) == []


def test_kafka_that_does_not_answer_is_a_line_of_its_own() -> None:
    status = ConnectorStateInfo("docs", Status(State.RUNNING, "a:1"))
    (notice,) = notices(status, Seen(problem="Kafka does not answer"))
    assert "Kafka does not answer" in notice.what


def test_the_worst_comes_first() -> None:
    shop = open_shop()
    lines = in_order([one for name in shop.herder.connectors() for one in found(shop, name)])
    assert [one.severity for one in lines] == sorted(one.severity for one in lines)
    assert lines[0].connector == "orders"


def test_a_failed_task_is_never_hidden_by_its_connector() -> None:
    tasks = {0: Status(State.RUNNING, "a:1"), 1: Status(State.FAILED, "a:1", "x")}
    for state in (State.RUNNING, State.PAUSED):
        assert worst(ConnectorStateInfo("docs", Status(state, "a:1"), tasks)) is State.FAILED


def test_a_trace_is_said_by_its_sentence_or_its_class() -> None:
    assert first_line("worker.errors.FatalError: it is: so\n\tat f") == "it is: so"
    assert first_line("builtins.KeyError\n\tat f") == "KeyError"
