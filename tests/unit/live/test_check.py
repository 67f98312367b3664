"""What an answer, or its absence, means."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from worker.errors import ConfigError, FatalError, RetriableError
from worker.live.check import Check, Question, Verdict, answered

if TYPE_CHECKING:
    from worker.errors import WorkerError


def raising(error: BaseException) -> Question:
    def ask() -> str:
        raise error

    return Question("store", ask)


def test_what_was_found_is_told() -> None:
    assert answered("products", Question("store", lambda: "3 brokers")) == Check(
        "products", "store", Verdict.OK, "3 brokers"
    )


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RetriableError("no"), Verdict.AWAY),
        (FatalError("no"), Verdict.WRONG),
        (ConfigError("no"), Verdict.WRONG),
    ],
)
def test_an_outage_is_away_and_a_refusal_is_wrong(error: WorkerError, verdict: Verdict) -> None:
    check = answered("products", raising(error))
    assert (check.verdict, check.detail) == (verdict, "no")


def test_who_does_not_answer_in_time_is_away() -> None:
    never = threading.Event()
    check = answered("products", Question("store", lambda: str(never.wait(30)), deadline_s=0.05))
    never.set()
    assert (check.verdict, check.detail) == (Verdict.AWAY, "no answer within 0.05 s")


def test_what_nobody_foresaw_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        answered("products", raising(KeyError("x")))
