"""Which partitions a record of a new key schema waits for."""

from __future__ import annotations

import pytest

from worker.flow.key_schema import prefix_of
from worker.flow.ledger import PartitionLedger
from worker.model import Record, TopicPartition
from worker.pipeline.heads import Head
from worker.pipeline.standstill import Wait
from worker.pipeline.succession import Held

TOPIC = "orders"
HERE, THERE = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
OLDER, OLD, NEW, NEWER = "00000008", "00000009", "0000000a", "0000000b"
KEY = b"\0\0\0\0\x0a\x02"
AT_MS = 1_000


def held(*, is_change: bool = True, at_ms: int | None = AT_MS) -> Held:
    record = Record(
        topic=TOPIC,
        partition=HERE.partition,
        offset=5,
        key=KEY,
        value=None,
        headers=(),
        timestamp_ms=at_ms,
        topic_id="id",
    )
    wait = Wait(record, NEW, 0.0, 0.0, is_change=is_change)
    return Held(record, PartitionLedger(HERE), prefix_of(KEY), is_change, wait)


@pytest.mark.parametrize(
    ("schema", "at_ms", "waits"),
    [
        (OLD, AT_MS - 1, True),
        (NEW, AT_MS - 1, True),
        (NEWER, AT_MS - 1, True),
        (OLD, AT_MS, True),
        (NEW, AT_MS, False),
        (NEWER, AT_MS, False),
        (OLD, AT_MS + 1, False),
    ],
)
def test_it_waits_for_what_is_older_and_at_the_same_time_for_older_schemas(
    schema: str, at_ms: int, *, waits: bool
) -> None:
    assert bool(held().waits_for({THERE: Head(schema, at_ms, 1)})) is waits


@pytest.mark.parametrize(("schema", "waits"), [(OLDER, True), (NEW, False), (NEWER, True)])
def test_who_does_not_know_what_came_before_it_waits_for_other_schemas(
    schema: str, *, waits: bool
) -> None:
    one = held(is_change=False)
    assert bool(one.waits_for({THERE: Head(schema, AT_MS - 1, 1)})) is waits


def test_it_waits_neither_for_its_own_partition_nor_for_other_topics() -> None:
    elsewhere = TopicPartition("others", 1)
    head = Head(OLD, AT_MS - 1, 1)
    assert held().waits_for({HERE: head, elsewhere: head}) == {}


def test_where_nobody_knows_the_time_nothing_is_waited_for() -> None:
    assert held().waits_for({THERE: Head(OLD, None, 1)}) == {}
    assert held(at_ms=None).waits_for({THERE: Head(OLD, 1, 1)}) == {}


def test_the_store_has_to_show_what_was_written_by_other_schemas_alone() -> None:
    wait = Wait(held().record, NEW, 0.0, 10.0, is_change=True)
    for now_s, schemas in ((0.0, [OLD, NEW]), (1.0, [OLD]), (2.0, [NEW]), (8.0, [NEW])):
        wait.look(
            {TopicPartition(TOPIC, n): Head(one, 1, 1) for n, one in enumerate(schemas)}, now_s
        )
    assert not wait.has_ended
    wait.look({}, 9.0)
    assert wait.has_ended
    assert [wait.is_over(now_s) for now_s in (9.0, 11.9, 12.0)] == [False, False, True]


def test_who_just_starts_and_meets_nobody_goes_on_at_once() -> None:
    wait = Wait(held().record, NEW, 0.0, 10.0, is_change=False)
    wait.look({}, 0.5)
    assert wait.is_over(0.5)
