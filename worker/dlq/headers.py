"""What a dead letter says about its failure: Kafka Connect's headers, and ours.

Values are UTF-8 text, numbers too. Headers are added behind those that the record has (as with
Connect's ``DeadLetterQueueReporter``): of a record that failed more than once each failure has its
own, the first one first. ``worker.dlq.reading`` reads them.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.dlq.port import DeadLetter
    from worker.model import Headers

CONNECT = "__connect.errors."
OURS = "__vecsink.errors."
STACK_TRACE = CONNECT + "exception.stacktrace"
KIND = OURS + "kind"
REPLAYS = OURS + "replays"

_MAX_FRAMES = 40
_FRAME = 5
"""Bytes before Avro data: a zero, which JSON never begins with, and the schema's id (Confluent's
wire format)."""


@immutable
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


def without_stack_traces(headers: Headers) -> Headers:
    """The same without the stack traces of our failures: they are the largest part."""
    ours = first_of_ours(headers)
    kept = (one for one in headers[ours:] if one[0] != STACK_TRACE)
    return (*headers[:ours], *kept)


def first_of_ours(headers: Headers) -> int:
    """Index of the first header that a worker added; the number of headers if none did.

    What the record brought along may hold headers of a Kafka Connect.
    """
    names = [name for name, _ in headers]
    kind = next((index for index, name in enumerate(names) if name == KIND), None)
    if kind is None:
        return len(names)
    starts = [index for index, name in enumerate(names[:kind]) if name == CONNECT + "topic"]
    return starts[-1] if starts else kind


def replays_of(headers: Headers) -> int:
    """How often a record with these headers was put back; 0 if it never failed."""
    counts = [value or b"" for name, value in headers if name == REPLAYS]
    if counts and counts[-1].isdigit():
        return int(counts[-1]) + 1
    return sum(1 for name, _ in headers if name == KIND)


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
    record, origin, error = letter.record, letter.origin, letter.error
    place = ".".join(part for part in (origin.schema or origin.db, origin.table) if part)
    said: dict[str, object] = {
        KIND: error.kind,
        OURS + "status": error.code or None,
        OURS + "attempts": letter.attempts,
        REPLAYS: replays_of(record.headers),
        OURS + "version": sender.version,
        OURS + "failed.at": letter.failed_ms,
        OURS + "topic.id": record.topic_id or None,
        # A topic with message.timestamp.type=LogAppendTime overwrites the record's own.
        OURS + "timestamp": record.timestamp_ms,
        OURS + "source.table": place if origin.table else None,
        OURS + "source.position": origin.position,
        OURS + "source.committed": origin.committed_ms,
        OURS + "schema.id.key": _schema_id(record.key),
        OURS + "schema.id.value": _schema_id(record.value),
    }
    return {name: str(value) for name, value in said.items() if value is not None}


def _schema_id(data: bytes | None) -> int | None:
    if data is None or len(data) <= _FRAME or data[0]:
        return None
    return int.from_bytes(data[1:_FRAME], "big")


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
