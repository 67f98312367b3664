from __future__ import annotations

import logging

import pytest
from confluent_kafka import KafkaError

from worker.clock import FakeClock
from worker.errors import FatalError
from worker.quiet_log import QuietLog
from worker.source.failures import Refusals, verdict

LOGIN = KafkaError(KafkaError._AUTHENTICATION, "wrong password")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "READ"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "READ"),
        (KafkaError.FENCED_INSTANCE_ID, "worker.id"),
        (KafkaError._AUTO_OFFSET_RESET, "earliest"),
        (KafkaError.INCONSISTENT_GROUP_PROTOCOL, "group"),
    ],
)
def test_what_no_waiting_mends_is_fatal_and_comes_with_advice(code: int, advice: str) -> None:
    error = verdict(KafkaError(code))
    assert isinstance(error, FatalError)
    assert advice in str(error)


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.NOT_COORDINATOR,
    ],
)
def test_an_outage_or_a_rebalance_is_waited_for(code: int) -> None:
    assert verdict(KafkaError(code)) is None


def test_what_the_client_itself_calls_fatal_is_fatal() -> None:
    assert verdict(KafkaError(KafkaError._STATE, "broken", True)) is not None  # noqa: FBT003 - its signature


def test_a_refused_login_is_fatal_after_a_moment_if_we_were_never_let_in() -> None:
    clock = FakeClock()
    refusals = Refusals(clock)
    refusals.note(LOGIN)
    refusals.check()
    clock.advance(6.0)
    with pytest.raises(FatalError, match="wrong password"):
        refusals.check()


def test_a_login_that_works_in_the_end_is_no_failure() -> None:
    clock = FakeClock()
    refusals = Refusals(clock)
    refusals.note(LOGIN)
    refusals.let_in()
    clock.advance(3600.0)
    refusals.check()


def test_a_worker_that_was_let_in_before_waits_longer() -> None:
    clock = FakeClock()
    refusals = Refusals(clock)
    refusals.let_in()
    for _ in range(2):
        refusals.note(LOGIN)
        refusals.check()
        clock.advance(30.0)
    refusals.note(LOGIN)
    with pytest.raises(FatalError):
        refusals.check()


def test_single_refusals_far_apart_are_no_streak() -> None:
    clock = FakeClock()
    refusals = Refusals(clock)
    refusals.let_in()
    for _ in range(5):
        refusals.note(LOGIN)
        clock.advance(3600.0)
        refusals.check()


def test_other_errors_are_no_refusal() -> None:
    clock = FakeClock()
    refusals = Refusals(clock)
    refusals.note(KafkaError(KafkaError._TRANSPORT))
    clock.advance(3600.0)
    refusals.check()


def test_a_kind_of_warning_is_said_again_only_after_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    quiet = QuietLog(logging.getLogger("test.quiet"), clock)
    for _ in range(3):
        quiet.warn("down", "Kafka is away.")
        quiet.warn("other", "Something else.")
    clock.advance(31.0)
    quiet.warn("down", "Kafka is away.")
    assert [record.message for record in caplog.records] == [
        "Kafka is away.",
        "Something else.",
        "Kafka is away.",
    ]
