"""What a dead letter says about its failure: Kafka Connect's headers, and ours.

Values are UTF-8 text, numbers too. Headers are added behind those that the record has: of a
record that failed more than once the first ``topic``, ``partition`` and ``offset`` name its
origin, the last ones the latest failure (as with Connect's ``DeadLetterQueueReporter``).
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.dlq.port import Letter
from worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.dlq.port import DeadLetter
    from worker.model import Headers, Record

CONNECT = "__connect.errors."
OURS = "__vecsink.errors."
STACK_TRACE = CONNECT + "exception.stacktrace"

_MAX_FRAMES = 40


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports the failure."""

    connector: str
    task: int
    version: str
    """Of the worker."""


def headers_of(letter: DeadLetter, sender: Sender) -> Headers:
    """All headers of the dead letter: the record's own, Connect's, ours."""
    added = {**_connect(letter, sender), **_ours(letter, sender)}
    texts = tuple((name, text.encode(errors="replace")) for name, text in added.items())
    return letter.record.headers + texts


def letter_of(record: Record) -> Letter | None:
    """What a record of a dead-letter topic says of itself; None for one that says nothing.

    Connect's own reporter leaves out what is ours: kind, attempts, topic id, timestamp.
    """
    first, last = _texts(reversed(record.headers)), _texts(record.headers)
    try:
        written = int(first.get(OURS + "timestamp", record.timestamp_ms or -1))
        return Letter(
            partition=record.partition,
            offset=record.offset,
            topic=first[CONNECT + "topic"],
            topic_id=first.get(OURS + "topic.id", ""),
            origin_partition=int(first[CONNECT + "partition"]),
            origin_offset=int(first[CONNECT + "offset"]),
            stage=last.get(CONNECT + "stage", ""),
            kind=last.get(OURS + "kind", ""),
            message=last.get(CONNECT + "exception.message", ""),
            attempts=int(last.get(OURS + "attempts", "1")),
            written_ms=None if written < 0 else written,
            sent_ms=None if written == record.timestamp_ms else record.timestamp_ms,
        )
    except (KeyError, ValueError):
        return None


def _texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """By name; of those that repeat the last one."""
    return {name: (value or b"").decode(errors="replace") for name, value in headers}


def without_stack_trace(headers: Headers) -> Headers:
    """The same without the stack trace that ``headers_of`` added: it is the largest part."""
    last = max(index for index, (name, _) in enumerate(headers) if name == STACK_TRACE)
    return headers[:last] + headers[last + 1 :]


def _connect(letter: DeadLetter, sender: Sender) -> dict[str, str]:
    record, error = letter.record, letter.error
    return {
        CONNECT + "topic": record.topic,
        CONNECT + "partition": str(record.partition),
        CONNECT + "offset": str(record.offset),
        CONNECT + "connector.name": sender.connector,
        CONNECT + "task.id": str(sender.task),
        CONNECT + "stage": error.stage.value,
        CONNECT + "class.name": _raised_in(error),
        CONNECT + "exception.class.name": _class_name(error),
        CONNECT + "exception.message": str(error),
        STACK_TRACE: stack_trace(error),
    }


def _ours(letter: DeadLetter, sender: Sender) -> dict[str, str]:
    record = letter.record
    said = {
        OURS + "kind": letter.error.kind,
        OURS + "attempts": str(letter.attempts),
        OURS + "version": sender.version,
    }
    if record.topic_id:
        said[OURS + "topic.id"] = record.topic_id
    if record.timestamp_ms is not None:
        # A topic with message.timestamp.type=LogAppendTime overwrites the record's own.
        said[OURS + "timestamp"] = str(record.timestamp_ms)
    return said


def stack_trace(error: BaseException) -> str:
    """Where the error and its causes were raised.

    Holds lines of code and our own messages; those of other libraries are left out, as they may
    quote the row.
    """
    return "".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause)
        yield "\nThe above was the cause of:\n\n"
    frames = traceback.extract_tb(error.__traceback__, limit=-_MAX_FRAMES)
    yield from traceback.format_list(frames)
    message = f": {error}" if isinstance(error, WorkerError) else ""
    yield f"{_class_name(error)}{message}\n"


def _raised_in(error: BaseException) -> str:
    """The module that raised it, in place of Connect's class."""
    trace, module = error.__traceback__, "worker"
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", module)
        trace = trace.tb_next
    return str(module)


def _class_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
