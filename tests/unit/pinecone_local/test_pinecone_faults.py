"""Faults on purpose, with a clock and dice that tests hold."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from worker.clock import FakeClock
from worker.pinecone_local.faults import FaultInjector, FaultRule, Faults


def statuses(injector: FaultInjector, *calls: str, index: str = "i") -> list[int]:
    verdicts = [injector.judge(call, index) for call in calls]
    return [0 if verdict.rule is None else verdict.rule.status for verdict in verdicts]


def test_healthy_server_neither_waits_nor_fails() -> None:
    verdict = FaultInjector(Faults(), FakeClock()).judge("query", "i")

    assert verdict.delay_s == 0
    assert verdict.rule is None


def test_rule_skips_then_fails_a_number_of_times() -> None:
    rule = FaultRule(operations=["upsert"], status=503, skip=1, count=2)
    injector = FaultInjector(Faults(rules=[rule]), FakeClock())

    calls = ["upsert", "query", "upsert", "upsert", "upsert"]
    assert statuses(injector, *calls) == [0, 0, 503, 503, 0]


def test_rule_for_one_index_leaves_others_alone() -> None:
    injector = FaultInjector(Faults(rules=[FaultRule(index="a", status=500)]), FakeClock())

    assert statuses(injector, "query", index="a") == [500]
    assert statuses(injector, "query", index="b") == [0]


def test_rate_is_a_share_of_the_calls() -> None:
    injector = FaultInjector(Faults(rules=[FaultRule(status=500, rate=0.3)], seed=1), FakeClock())

    assert 200 < statuses(injector, *["query"] * 1000).count(500) < 400


def test_latency_has_jitter_on_top() -> None:
    injector = FaultInjector(Faults(latency_s=0.1, jitter_s=0.05), FakeClock())
    delays = [injector.judge("query", "i").delay_s for _ in range(100)]

    assert 0.1 <= min(delays) < max(delays) <= 0.15


def test_rate_limit_lets_one_seconds_worth_pass_and_refills() -> None:
    clock = FakeClock()
    injector = FaultInjector(Faults(rate_limit_per_s=3), clock)

    assert statuses(injector, *["query"] * 5) == [0, 0, 0, 429, 429]
    assert statuses(injector, "upsert") == [0]
    clock.advance(1 / 3)
    assert statuses(injector, "query", "query") == [0, 429]


def test_configuring_begins_anew() -> None:
    faults = Faults(rules=[FaultRule(status=500, count=1)])
    injector = FaultInjector(faults, FakeClock())
    assert statuses(injector, "query", "query") == [500, 0]
    injector.configure(faults)

    assert statuses(injector, "query") == [500]


@pytest.mark.parametrize(
    "settings", [{"latency": 1}, {"latency_s": -1}, {"rules": [{"rate": 2}]}, {"visibility_s": "x"}]
)
def test_misspelt_switch_is_an_error(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Faults.model_validate(settings)
