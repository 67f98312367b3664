"""Faults on purpose, with a clock that tests hold."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from worker.clock import FakeClock
from worker.provider_local.faults import FaultInjector, FaultRule, Faults, Kind, PerMinute
from worker.provider_local.job import Encoding, Job
from worker.provider_local.windows import Windows

ACCOUNT = ("cohere", "key")


def kinds(injector: FaultInjector, calls: int, provider: str = "cohere") -> list[str]:
    rules = [injector.judge(provider)[1] for _ in range(calls)]
    return ["" if rule is None else str(rule.kind) for rule in rules]


def job(texts: int = 1, tokens: int = 1) -> Job:
    return Job("m", 8, "", ["x"] * texts, Encoding.FLOAT, tokens)


def test_a_healthy_server_neither_waits_nor_fails() -> None:
    assert FaultInjector(Faults(), FakeClock()).judge("cohere") == (0, None)


def test_a_rule_skips_then_applies_a_number_of_times() -> None:
    rule = FaultRule(skip=1, count=2)
    assert kinds(FaultInjector(Faults(rules=[rule]), FakeClock()), 5) == [
        "", "status", "status", "", "",
    ]  # fmt: skip


def test_a_rule_may_last_for_a_time_from_its_first_call() -> None:
    clock = FakeClock()
    injector = FaultInjector(Faults(rules=[FaultRule(seconds=2)]), clock)
    clock.advance(10)
    assert kinds(injector, 2) == ["status", "status"]
    clock.advance(1.9)
    assert kinds(injector, 1) == ["status"]
    clock.advance(0.1)
    assert kinds(injector, 1) == [""]


def test_a_rule_for_one_provider_leaves_others_alone() -> None:
    injector = FaultInjector(Faults(rules=[FaultRule(provider="voyage")]), FakeClock())
    assert kinds(injector, 1, "voyage") == ["status"]
    assert kinds(injector, 1, "openai") == [""]


def test_the_first_rule_that_applies_wins() -> None:
    rules = [FaultRule(kind=Kind.CUT, count=1), FaultRule(kind=Kind.NAN)]
    assert kinds(FaultInjector(Faults(rules=rules), FakeClock()), 2) == ["cut", "nan"]


def test_a_rate_is_a_share_of_the_calls() -> None:
    injector = FaultInjector(Faults(rules=[FaultRule(rate=0.3)], seed=1), FakeClock())
    assert 200 < kinds(injector, 1000).count("status") < 400


def test_latency_has_jitter_and_the_rules_delay_on_top() -> None:
    faults = Faults(latency_s=0.1, jitter_s=0.05, rules=[FaultRule(kind=Kind.SLOW, delay_s=1)])
    injector = FaultInjector(faults, FakeClock())
    delays = [injector.judge("cohere")[0] for _ in range(100)]
    assert 1.1 <= min(delays) < max(delays) <= 1.15


def test_a_switch_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError):
        Faults.model_validate({"rules": [{"operation": "embed"}]})


@pytest.mark.parametrize(
    ("limit", "jobs", "passed"),
    [
        (PerMinute(requests=2), [job(), job(), job()], 2),
        (PerMinute(inputs=100), [job(96), job(4), job(1)], 2),
        (PerMinute(tokens=10), [job(tokens=6), job(tokens=5)], 1),
        (PerMinute(), [job(1000, 10**9)] * 3, 3),
    ],
)
def test_a_minute_has_room_for_so_much(limit: PerMinute, jobs: list[Job], passed: int) -> None:
    windows = Windows(FakeClock())
    waits = [windows.admit(ACCOUNT, limit, item) for item in jobs]
    assert waits.count(None) == passed


def test_the_wait_is_what_is_left_of_the_minute() -> None:
    clock = FakeClock()
    windows, limit = Windows(clock), PerMinute(requests=1)
    assert windows.admit(ACCOUNT, limit, job()) is None
    clock.advance(20)
    assert windows.admit(ACCOUNT, limit, job()) == 40
    assert windows.admit(("cohere", "another key"), limit, job()) is None
    clock.advance(40)
    assert windows.admit(ACCOUNT, limit, job()) is None


def test_new_limits_begin_anew() -> None:
    windows = Windows(FakeClock())
    for _ in range(5):
        assert windows.admit(ACCOUNT, PerMinute(), job()) is None
    assert windows.admit(ACCOUNT, PerMinute(requests=1), job()) is None
    assert windows.admit(ACCOUNT, PerMinute(requests=1), job()) is not None


def test_what_is_left_is_said_as_openai_says_it() -> None:
    windows, limit = Windows(FakeClock()), PerMinute(requests=10, tokens=100)
    windows.admit(ACCOUNT, limit, job(tokens=30))
    assert windows.headers(ACCOUNT, limit) == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "60.000s",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "70",
        "x-ratelimit-reset-tokens": "60.000s",
    }
