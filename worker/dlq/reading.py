"""What a record of a dead-letter topic says of itself: see ``worker.dlq.headers``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.dlq.headers import CONNECT, KIND, OURS, REPLAYS, STACK_TRACE, first_of_ours
from worker.dlq.port import Failure, Letter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.model import Headers, Record

_TOPIC = CONNECT + "topic"
_CONNECTOR = CONNECT + "connector.name"
_LARGEST = (1 << 63) - 1


def letter_of(record: Record) -> Letter | None:
    """What a record of a dead-letter topic says of itself; None for one that says nothing.

    The last failure counts. Where it failed, the record stood: a replay keeps its place, while one
    that somebody has produced anew is a new record. Connect's own reporter leaves out what is ours.
    """
    blocks = _blocks(record.headers)
    if not blocks:
        return None
    last = blocks[-1]
    written = _number(last, OURS + "timestamp")
    if written is None:
        written = record.timestamp_ms
    try:
        return Letter(
            partition=record.partition,
            offset=record.offset,
            topic=last[_TOPIC],
            topic_id=last.get(OURS + "topic.id", ""),
            origin_partition=_whole(last[CONNECT + "partition"]),
            origin_offset=_whole(last[CONNECT + "offset"]),
            stage=last.get(CONNECT + "stage", ""),
            kind=last.get(KIND, ""),
            message=last.get(CONNECT + "exception.message", ""),
            attempts=_number(last, OURS + "attempts") or 1,
            written_ms=written,
            sent_ms=None if written == record.timestamp_ms else record.timestamp_ms,
            status=last.get(OURS + "status", ""),
            replays=_number(last, REPLAYS) or 0,
            failed_ms=_number(last, OURS + "failed.at"),
            committed_ms=_number(last, OURS + "source.committed"),
            source_position=_number(last, OURS + "source.position"),
            table=last.get(OURS + "source.table", ""),
            key_schema_id=_number(last, OURS + "schema.id.key"),
            value_schema_id=_number(last, OURS + "schema.id.value"),
            version=last.get(OURS + "version", ""),
            connector=last.get(_CONNECTOR, ""),
            first=_first(blocks[0]),
        )
    except (KeyError, ValueError):
        return None


def letters_of(connector: str) -> Callable[[Record], Letter | None]:
    """The same, of a connector alone, as several may share a topic.

    A letter that does not say whose it is is everybody's: better seen twice than by nobody, and a
    replay is asked for only where its topic is read.
    """

    def told(record: Record) -> Letter | None:
        letter = letter_of(record)
        return letter if letter is None or letter.connector in ("", connector) else None

    return told


def failures_of(record: Record) -> tuple[Failure, ...]:
    """All of them, the first one first."""
    return tuple(_failure(block) for block in _blocks(record.headers))


def original_of(record: Record, letter: Letter) -> Record:
    """The record that failed, where it stood; it still says how often it failed.

    So a letter of it says so, too.
    """
    return replace(
        record,
        topic=letter.topic,
        partition=letter.origin_partition,
        offset=letter.origin_offset,
        topic_id=letter.topic_id,
        timestamp_ms=letter.written_ms,
    )


def headers_before(headers: Headers) -> Headers:
    """Those that the record had before it failed here for the first time."""
    return headers[: first_of_ours(headers)]


def _blocks(headers: Headers) -> list[Mapping[str, str]]:
    """What each failure said; a Kafka Connect's only where no worker has failed on it."""
    blocks: list[dict[str, str]] = []
    for name, value in headers:
        if name == _TOPIC:
            blocks.append({})
        if blocks and name.startswith((CONNECT, OURS)):
            blocks[-1][name] = (value or b"").decode(errors="replace")
    ours = [block for block in blocks if KIND in block]
    return list(ours or blocks)


def _failure(block: Mapping[str, str]) -> Failure:
    return Failure(
        topic=block[_TOPIC],
        partition=_number(block, CONNECT + "partition") or 0,
        offset=_number(block, CONNECT + "offset") or 0,
        connector=block.get(_CONNECTOR, ""),
        stage=block.get(CONNECT + "stage", ""),
        kind=block.get(KIND, ""),
        message=block.get(CONNECT + "exception.message", ""),
        status=block.get(OURS + "status", ""),
        version=block.get(OURS + "version", ""),
        trace=block.get(STACK_TRACE, ""),
        failed_ms=_number(block, OURS + "failed.at"),
    )


def _first(block: Mapping[str, str]) -> tuple[str, int, int]:
    return block[_TOPIC], _whole(block[CONNECT + "partition"]), _whole(block[CONNECT + "offset"])


def _number(block: Mapping[str, str], name: str) -> int | None:
    try:
        return _whole(block.get(name, ""))
    except ValueError:
        return None


def _whole(text: str) -> int:
    """Anybody may write anything into a header; none of our numbers has more than 64 bits.

    Raises:
        ValueError: it is none.
    """
    number = int(text)
    if abs(number) > _LARGEST:
        raise ValueError("more than 64 bits")
    return number
