"""One question to the surroundings, and what the answer means."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.errors import RetriableError, WorkerError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 20.0
"""Of one question; what takes longer does not answer."""


class Verdict(StrEnum):
    """What an answer means."""

    OK = "ok"
    WRONG = "wrong"
    """A setting, a key or a right: waiting mends nothing."""
    AWAY = "away"
    """It does not answer, or does not exist yet."""


@immutable
class Check:
    """A question and its answer."""

    connector: str
    subject: str
    """Short and stable: ``kafka``, ``topics``, ``group``, ``registry`` …"""
    verdict: Verdict
    detail: str
    """What was found, or what is wrong and what to do."""


@immutable
class Question:
    """What to ask; ``ask`` returns what was found."""

    subject: str
    ask: Callable[[], str]
    deadline_s: float = DEADLINE_S


class Missing(RetriableError):  # noqa: N818 - an answer, no failure
    """It is not there, and may come."""


def answered(connector: str, question: Question) -> Check:
    """Ask within the deadline."""
    answer = _Answer(question.ask)
    verdict, detail = answer.within(question.deadline_s)
    return Check(connector, question.subject, verdict, detail)


class _Answer:
    """Asks in a thread that nobody waits for at the end, as clients have time-outs of their own."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._found: tuple[Verdict, str] | None = None
        self._unforeseen: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="live-check", daemon=True)

    def within(self, seconds: float) -> tuple[Verdict, str]:
        self._thread.start()
        self._thread.join(seconds)
        if self._unforeseen is not None:
            raise self._unforeseen
        return self._found or (Verdict.AWAY, f"no answer within {seconds:g} s")

    def _run(self) -> None:
        try:
            self._found = Verdict.OK, self._ask()
        except RetriableError as error:
            self._found = Verdict.AWAY, str(error)
        except WorkerError as error:
            self._found = Verdict.WRONG, str(error)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked
            self._unforeseen = error
