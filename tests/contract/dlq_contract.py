"""What every dead-letter queue promises; a queue's own test file brings it and reads its topic."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, Protocol

import pytest

from worker.dlq.headers import CONNECT, OURS, REPLAYS, STACK_TRACE, Sender
from worker.dlq.port import DeadLetter
from worker.dlq.reading import failures_of, headers_before, letter_of, original_of
from worker.errors import FatalError, RecordError, Stage
from worker.model import Headers, Origin, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.dlq.port import DeadLetterQueue

DEADLINE_S = 60.0
ORIGIN = Origin("postgresql", "shop", "public", "products", 1_700_000_000_100, 4711)
SENDER = Sender("shop", 3, "9.9.9")
LIMIT_BYTES = 100_000
"""What the topic of ``limited`` takes."""


class DeadLetterTopic(Protocol):
    """What a test file brings."""

    def queue(self) -> DeadLetterQueue:
        """A queue into the topic, sending as ``SENDER``."""
        ...

    def limited(self) -> DeadLetterQueue:
        """A queue into a topic that takes at most 100 kB a record."""
        ...

    def read(self, count: int) -> Sequence[Record]:
        """The letters in the topic, once there are so many."""
        ...


def letter(
    offset: int = 0,
    *,
    key: bytes | None = b"k",
    value: bytes | None = b"v",
    headers: Headers = (),
    message: str = "broken Avro",
) -> DeadLetter:
    """A letter with an error that was really raised, and so has a stack trace."""
    record = Record(
        "shop.public.products", 2, offset, key, value, headers, 1_700_000_000_123, "some-topic-id"
    )
    try:
        _fail(message)
    except RecordError as error:
        return DeadLetter(record, error, 2, ORIGIN, failed_ms=1_700_000_000_900)


def _fail(message: str) -> NoReturn:
    raise RecordError(message, stage=Stage.VALUE_CONVERTER, kind="BrokenAvro").coded(422)


def confirm(queue: DeadLetterQueue, count: int) -> list[DeadLetter]:
    """Ask until so many letters are confirmed."""
    deadline_s = time.monotonic() + DEADLINE_S
    confirmed: list[DeadLetter] = []
    while len(confirmed) < count:
        assert time.monotonic() < deadline_s, f"{len(confirmed)} of {count} letters confirmed"
        confirmed += queue.confirmed()
        time.sleep(0.005)
    return confirmed


class DeadLetterContract:
    """Fixture ``topic``."""

    def test_a_letter_holds_the_record_byte_for_byte_and_says_why(
        self, topic: DeadLetterTopic
    ) -> None:
        own: Headers = (("h", b"\xff\x00"), ("h", None), ("e", b""))
        key, value = b"\x00\x00\x00\x00\x07k", b"\x00\x00\x00\x01\x00\xfe"
        sent = letter(41, key=key, value=value, headers=own)
        queue = topic.queue()
        queue.send(sent)
        assert confirm(queue, 1)[0] is sent
        queue.close(10.0)

        (found,) = topic.read(1)
        assert (found.key, found.value) == (key, value)
        assert found.timestamp_ms == 1_700_000_000_123
        assert found.headers[:3] == own
        said = dict(found.headers[3:])
        assert (said.pop(STACK_TRACE) or b"").endswith(b"worker.errors.RecordError: broken Avro\n")
        assert said == {
            CONNECT + "topic": b"shop.public.products",
            CONNECT + "partition": b"2",
            CONNECT + "offset": b"41",
            CONNECT + "connector.name": b"shop",
            CONNECT + "task.id": b"3",
            CONNECT + "stage": b"VALUE_CONVERTER",
            CONNECT + "class.name": __name__.encode(),
            CONNECT + "exception.class.name": b"worker.errors.RecordError",
            CONNECT + "exception.message": b"broken Avro",
            OURS + "kind": b"BrokenAvro",
            OURS + "status": b"422",
            OURS + "attempts": b"2",
            OURS + "replays": b"0",
            OURS + "version": b"9.9.9",
            OURS + "failed.at": b"1700000000900",
            OURS + "topic.id": b"some-topic-id",
            OURS + "timestamp": b"1700000000123",
            OURS + "source.table": b"public.products",
            OURS + "source.position": b"4711",
            OURS + "source.committed": b"1700000000100",
            OURS + "schema.id.key": b"7",
            OURS + "schema.id.value": b"256",
        }

    def test_null_and_empty_keys_and_values_stay_what_they_are(
        self, topic: DeadLetterTopic
    ) -> None:
        queue = topic.queue()
        for key, value in ((None, None), (b"", b""), (b"k", None), (None, b"v")):
            queue.send(letter(key=key, value=value))
        confirm(queue, 4)
        queue.close(10.0)
        found = {(one.key, one.value) for one in topic.read(4)}
        assert found == {(None, None), (b"", b""), (b"k", None), (None, b"v")}

    def test_a_record_that_fails_again_keeps_its_first_origin(self, topic: DeadLetterTopic) -> None:
        first: Headers = ((CONNECT + "topic", b"origin"), (CONNECT + "offset", b"7"))
        queue = topic.queue()
        queue.send(letter(99, headers=first))
        confirm(queue, 1)
        queue.close(10.0)
        (found,) = topic.read(1)
        topics = [value for name, value in found.headers if name == CONNECT + "topic"]
        offsets = [value for name, value in found.headers if name == CONNECT + "offset"]
        assert topics == [b"origin", b"shop.public.products"]
        assert offsets == [b"7", b"99"]

    def test_a_replayed_record_keeps_every_failure_and_counts_them(
        self, topic: DeadLetterTopic
    ) -> None:
        own: Headers = (("h", b"1"),)
        queue = topic.queue()
        sent = letter(41, headers=own)
        seen: list[Record] = []
        for _ in range(3):
            queue.send(sent)
            confirm(queue, 1)
            found = topic.read(len(seen) + 1)[-1]
            seen.append(found)
            told = letter_of(found)
            assert told is not None
            sent = replace(sent, record=original_of(found, told))
        queue.close(10.0)
        assert [value for name, value in found.headers if name == REPLAYS] == [b"0", b"1", b"2"]
        assert headers_before(found.headers) == own
        assert (found.key, found.value, found.timestamp_ms) == (b"k", b"v", 1_700_000_000_123)
        assert len(failures_of(found)) == 3
        assert told is not None
        assert told.replays == 2
        assert told.is_of(letter(41).record)

    def test_every_letter_is_confirmed_once_and_all_in_order(self, topic: DeadLetterTopic) -> None:
        queue = topic.queue()
        sent = [letter(number, value=str(number).encode()) for number in range(200)]
        for one in sent:
            queue.send(one)
        confirmed = confirm(queue, 200)
        assert {id(one) for one in confirmed} == {id(one) for one in sent}
        assert list(queue.confirmed()) == []
        queue.close(10.0)
        assert [one.value for one in topic.read(200)] == [one.record.value for one in sent]

    def test_closing_waits_for_what_is_under_way(self, topic: DeadLetterTopic) -> None:
        queue = topic.queue()
        for number in range(20):
            queue.send(letter(number))
        queue.close(30.0)
        queue.close(30.0)
        assert len(topic.read(20)) == 20


class LimitedTopicContract:
    """Fixture ``topic``; for those whose ``limited`` has a limit."""

    def test_a_letter_that_is_too_large_travels_without_its_stack_trace(
        self, topic: DeadLetterTopic
    ) -> None:
        # The message is in the stack trace as well, so with it the letter is above the limit.
        heavy = letter(message="m" * 48_000, value=b"v" * 20_000)
        queue = topic.limited()
        queue.send(heavy)
        confirm(queue, 1)
        queue.close(10.0)
        (found,) = topic.read(1)
        names = [name for name, _ in found.headers]
        assert STACK_TRACE not in names
        assert CONNECT + "exception.message" in names

    def test_a_letter_that_is_too_large_at_all_is_fatal(self, topic: DeadLetterTopic) -> None:
        queue = topic.limited()
        queue.send(letter(value=b"v" * 2 * LIMIT_BYTES))
        with pytest.raises(FatalError, match="too large"):
            confirm(queue, 1)
        queue.close(1.0)
