"""Every error of the worker; the class says how to recover.

    WorkerError
    ├── ConfigError      the connector or the worker's settings are wrong: fix them   (exit 2)
    ├── RetriableError   an outage: wait, then do the same work again
    │   ├── LimitedError     the other side asks us to slow down
    │   └── UnansweredError  no answer came: the work may have been done, and billed
    │       └── BrokenAnswerError  an answer came that cannot be used
    ├── RecordError      this one record cannot be processed: to the dead-letter topic
    └── FatalError       every record would fail: the task stops as FAILED            (exit 1)
        └── UnfitAnswerError  an answer came, and was billed, that shows it

Adapters translate the errors of their vendor's library into these and chain with ``from``.
No message contains a secret or the content of a row; names of columns, topics and offsets are fine.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Stage(StrEnum):
    """Where on its way a record failed; the value is what the DLQ header says.

    The first two names are Kafka Connect's (``org.apache.kafka.connect.runtime.errors.Stage``),
    the others are the steps that Connect calls ``TASK_PUT``.
    """

    KEY_CONVERTER = "KEY_CONVERTER"
    VALUE_CONVERTER = "VALUE_CONVERTER"
    DOCUMENT = "DOCUMENT"
    EMBED = "EMBED"
    STORE = "STORE"


class WorkerError(Exception):
    """Base of all errors that the worker raises on purpose."""

    code: str = ""
    """How the other side refused, for metrics: an HTTP status, or the kind of its silence."""

    def coded(self, code: object) -> Self:
        """The same error with its code."""
        self.code = str(code)
        return self


class ConfigError(WorkerError):
    """A setting is wrong; the message names key, what was expected, the nearest name."""


class RetriableError(WorkerError):
    """Something outside is away or overloaded; the same call may succeed later.

    ``retry_after_s`` is the wait that the other side asked for, if it did.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LimitedError(RetriableError):
    """The other side works, but asks us to slow down (HTTP 429)."""


class UnansweredError(RetriableError):
    """A request was sent and no answer came: it may have been carried out, and billed."""


class BrokenAnswerError(UnansweredError):
    """An answer came that cannot be used, such as too few vectors; it may have been billed."""


class RecordError(WorkerError):
    """One record is at fault; its neighbours are not.

    ``kind`` is a short, stable name for operators to filter by, such as ``UnavailableColumn``.
    """

    attempts: int = 1
    """How often it was tried, calls with other records included."""

    def __init__(self, message: str, *, stage: Stage, kind: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.kind = kind


class FatalError(WorkerError):
    """Something hits every record; the task stops and says what to do about it."""


class UnfitAnswerError(FatalError):
    """An answer came that was billed and shows that no other will do, such as its dimensions."""
