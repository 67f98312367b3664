from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.dlq.headers import (
    CONNECT,
    OURS,
    STACK_TRACE,
    Sender,
    headers_of,
    stack_trace,
    without_stack_traces,
)
from worker.dlq.port import DeadLetter, Letter
from worker.dlq.reading import failures_of, headers_before, letter_of, original_of
from worker.errors import RecordError, Stage
from worker.model import Headers, Record

SENDER = Sender("shop", 0, "1.0")
CONNECT_NAMES = [
    "topic",
    "partition",
    "offset",
    "connector.name",
    "task.id",
    "stage",
    "class.name",
    "exception.class.name",
    "exception.message",
    "exception.stacktrace",
]


def failing() -> None:
    try:
        int("Anna Schmidt, " + "born in 1980")  # Python's message quotes it
    except ValueError as error:
        raise RecordError("column body is broken", stage=Stage.DOCUMENT, kind="Broken") from error


def caught() -> RecordError:
    with pytest.raises(RecordError) as info:
        failing()
    return info.value


def letter(headers: Headers = (), *, topic_id: str = "", at_ms: int | None = None) -> DeadLetter:
    return DeadLetter(Record("t", 1, 2, b"k", b"v", headers, at_ms, topic_id), caught())


def test_all_of_connects_headers_are_there_in_its_order() -> None:
    names = [name for name, _ in headers_of(letter(), SENDER) if name.startswith(CONNECT)]
    assert names == [CONNECT + name for name in CONNECT_NAMES]


def test_the_stack_trace_names_causes_without_what_they_say() -> None:
    trace = stack_trace(caught())
    assert "builtins.ValueError\n" in trace
    assert trace.endswith("worker.errors.RecordError: column body is broken\n")
    assert "in failing" in trace
    assert "Anna Schmidt, born in 1980" not in trace


def test_the_class_is_the_module_that_raised_the_error() -> None:
    said = dict(headers_of(letter(), SENDER))
    assert said[CONNECT + "class.name"] == __name__.encode()


def test_an_error_that_was_never_raised_has_a_trace_all_the_same() -> None:
    error = RecordError("refused", stage=Stage.STORE, kind="Refused")
    said = dict(headers_of(DeadLetter(letter().record, error), SENDER))
    assert said[CONNECT + "class.name"] == b"worker"
    assert said[STACK_TRACE] == b"worker.errors.RecordError: refused\n"


def test_only_the_added_stack_trace_is_left_out() -> None:
    before: Headers = ((STACK_TRACE, b"of an earlier failure"),)
    traces = [
        value
        for name, value in without_stack_traces(headers_of(letter(before), SENDER))
        if name == STACK_TRACE
    ]
    assert traces == [b"of an earlier failure"]


def test_what_is_not_known_is_not_said() -> None:
    unknown = {name for name, _ in headers_of(letter(), SENDER)}
    assert {name for name in unknown if name.startswith(OURS)} == {
        OURS + name for name in ("kind", "attempts", "replays", "version")
    }
    known = dict(headers_of(letter(topic_id="id", at_ms=0), SENDER))
    assert known[OURS + "topic.id"] == b"id"
    assert known[OURS + "timestamp"] == b"0"


def test_text_that_is_no_valid_unicode_does_not_break_the_headers() -> None:
    error = RecordError("half a pair \ud800", stage=Stage.DOCUMENT, kind="Broken")
    said = dict(headers_of(DeadLetter(letter().record, error), SENDER))
    assert said[CONNECT + "exception.message"] == b"half a pair ?"


def dead(sent: DeadLetter, *, timestamp_ms: int | None) -> Record:
    """The letter as it lies in the dead-letter topic."""
    headers = headers_of(sent, SENDER)
    return Record("dlq", 0, 9, sent.record.key, sent.record.value, headers, timestamp_ms)


def test_a_letter_is_read_back_as_it_was_written() -> None:
    sent = letter(topic_id="id", at_ms=5)
    found = letter_of(dead(sent, timestamp_ms=5))
    assert found == Letter(
        partition=0,
        offset=9,
        topic="t",
        topic_id="id",
        origin_partition=1,
        origin_offset=2,
        stage="DOCUMENT",
        kind="Broken",
        message="column body is broken",
        attempts=1,
        written_ms=5,
        sent_ms=None,
        version="1.0",
        connector="shop",
        first=("t", 1, 2),
    )
    assert found.is_of(sent.record)
    assert not found.is_of(letter(topic_id="another").record)


def test_a_topic_that_stamps_its_records_tells_when_a_letter_came() -> None:
    found = letter_of(dead(letter(at_ms=5), timestamp_ms=900))
    assert found is not None
    assert (found.written_ms, found.sent_ms) == (5, 900)


def test_of_a_record_that_failed_twice_the_last_place_and_reason_count() -> None:
    """Produced anew by hand it is a new record: what came after its first place says nothing."""
    earlier = ((CONNECT + "topic", b"first"), (CONNECT + "partition", b"7"))
    before = (*earlier, (CONNECT + "offset", b"8"), (OURS + "kind", b"Earlier"))
    found = letter_of(dead(letter(before), timestamp_ms=None))
    assert found is not None
    assert (found.topic, found.origin_partition, found.kind) == ("t", 1, "Broken")
    assert found.first == ("first", 7, 8)
    assert found.replays == 1


def test_what_a_kafka_connect_reported_before_is_the_records_own_story() -> None:
    theirs: Headers = (
        (CONNECT + "topic", b"elsewhere"),
        (CONNECT + "partition", b"0"),
        (CONNECT + "offset", b"3"),
        (STACK_TRACE, b"theirs"),
    )
    record = dead(letter(theirs), timestamp_ms=None)
    found = letter_of(record)
    assert found is not None
    assert (found.topic, found.first, found.replays) == ("t", ("t", 1, 2), 0)
    assert headers_before(record.headers) == theirs
    assert [one.kind for one in failures_of(record)] == ["Broken"]


def test_the_record_that_failed_is_had_back_where_it_stood() -> None:
    sent = letter((("h", b"1"),), topic_id="id", at_ms=5)
    record = dead(sent, timestamp_ms=900)
    told = letter_of(record)
    assert told is not None
    found = original_of(record, told)
    assert replace(found, headers=headers_before(found.headers)) == sent.record


@given(
    key=st.none() | st.binary(max_size=12),
    value=st.none() | st.binary(max_size=12),
    own=st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=4),
    at_ms=st.none() | st.integers(0, 2**40),
)
def test_any_record_is_had_back_byte_for_byte(
    key: bytes | None, value: bytes | None, own: list[tuple[str, bytes | None]], at_ms: int | None
) -> None:
    record = Record("t", 1, 2, key, value, tuple(own), at_ms, "id")
    sent = DeadLetter(record, RecordError("no", stage=Stage.STORE, kind="Refused"))
    lying = replace(dead(sent, timestamp_ms=at_ms), key=key, value=value)
    told = letter_of(lying)
    assert told is not None
    found = original_of(lying, told)
    assert replace(found, headers=headers_before(found.headers)) == record


def test_a_record_that_a_kafka_connect_alone_reported_is_a_letter_too() -> None:
    headers = (
        (CONNECT + "topic", b"t"),
        (CONNECT + "partition", b"0"),
        (CONNECT + "offset", b"3"),
        (CONNECT + "exception.message", None),
    )
    found = letter_of(Record("dlq", 0, 0, None, None, headers))
    assert found is not None
    assert (found.topic, found.origin_offset, found.kind, found.replays) == ("t", 3, "", 0)


@pytest.mark.parametrize("headers", [(), ((CONNECT + "topic", b"t"), (CONNECT + "offset", b"x"))])
def test_a_record_that_says_nothing_is_no_letter(headers: Headers) -> None:
    assert letter_of(Record("dlq", 0, 0, None, None, headers)) is None


@pytest.mark.parametrize("forged", ["²", "9" * 5000, "9" * 20, "-" + "9" * 20, "1.5", "", "-"])
def test_a_forged_moment_is_not_known_and_the_letter_is_one_all_the_same(forged: str) -> None:
    sent = dead(letter(at_ms=5), timestamp_ms=900)
    names = ("timestamp", "failed.at", "source.committed")
    forgery = tuple((OURS + name, forged.encode()) for name in names)
    found = letter_of(replace(sent, headers=(*sent.headers, *forgery)))
    assert found is not None
    assert (found.written_ms, found.failed_ms, found.committed_ms) == (900, None, None)


@pytest.mark.parametrize("forged", ["²", "9" * 5000, "9" * 20])
def test_who_forges_the_place_has_written_no_letter(forged: str) -> None:
    sent = dead(letter(), timestamp_ms=None)
    headers = (*sent.headers, (CONNECT + "offset", forged.encode()))
    assert letter_of(replace(sent, headers=headers)) is None
