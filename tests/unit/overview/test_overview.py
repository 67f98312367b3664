"""What can be said of a connector from Kafka alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.unit.overview.cluster import LETTERS, NOON, STATE, MemoryBrokers, overview
from tests.unit.spend.pods import Group as Pods
from worker.errors import RetriableError
from worker.letters.book import LetterBook
from worker.letters.standing import LetterId, LetterOrigin, LetterState
from worker.model import Record, TopicPartition
from worker.overview.port import Group, GroupState, Member
from worker.overview.standing import Spend, TopicLag
from worker.source.port import Span
from worker.spend.amount import Budget, Limit, price_of
from worker.spend.port import Part
from worker.spend.unlimited import UnlimitedPurse
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from worker.overview.look import Overview

PRICE = price_of(0.5)


def place(partition: int, topic: str = "products") -> TopicPartition:
    return TopicPartition(topic, partition)


def spend(pods: Pods, tokens: int, price: int | None = PRICE, **texts: int) -> None:
    """One call of a worker that then ends."""
    purse = UnlimitedPurse(MemoryStateTopic(pods.log), price=price, clock=pods.clock, now=pods.wall)
    purse.reserve(tokens, {t: Part(n, n) for t, n in texts.items()}).settle(tokens)
    purse.close()


def test_a_connector_that_nobody_ever_ran_is_known_by_what_waits() -> None:
    brokers = MemoryBrokers()
    brokers.left = {place(0): Span(0, 7), place(1): Span(0, 3)}
    found = overview(brokers).look()
    assert found.group.state is GroupState.NOT_RUNNING
    assert found.lags == (TopicLag("products", partitions=2, held=0, behind=10),)
    assert not found.keeps_spend
    assert found.letters is not None
    assert (found.letters.records, found.letters.last_kind) == (0, None)


def test_lag_and_owners_are_added_up_by_topic() -> None:
    brokers = MemoryBrokers()
    brokers.left = {
        place(0): Span(5, 7),
        place(1): Span(3, 3),
        place(0, "reviews"): Span(9, 4),
    }
    members = (Member("c-0", "10.0.0.1", (place(0), place(0, "reviews"))), Member("c-0", "b", ()))
    brokers.group_now = Group(GroupState.RUNNING, members)
    found = overview(brokers).look()
    assert found.lags == (
        TopicLag("products", partitions=2, held=1, behind=2),
        TopicLag("reviews", partitions=1, held=1, behind=0),
    )
    assert found.behind == 2


def test_spending_is_that_of_all_pods_by_day_and_table() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    pods.wall.turn(-1)
    spend(pods, 100, products=1)
    pods.wall.turn()
    spend(pods, 2_000_000, products=2, reviews=2)
    spend(pods, 1_000_000, products=4)
    brokers.keep(pods.log)
    found = overview(brokers).look()
    assert found.keeps_spend
    assert found.today.day == date(2026, 11, 26)
    assert found.today.tables == {
        "products": Spend(6, 2, 2_000_000, 1.0),
        "reviews": Spend(2, 1, 1_000_000, 0.5),
    }
    assert found.today.whole == Spend(8, 2, 3_000_000, 1.5)
    assert found.week["products"].tokens == 2_000_100
    assert found.week_whole.usd == pytest.approx(1.50005)
    assert len(found.days) == 7


def test_a_day_of_a_week_ago_is_not_of_the_last_seven() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    pods.wall.turn(-7)
    spend(pods, 100, products=1)
    pods.wall.turn(1)
    spend(pods, 20, products=1)
    brokers.keep(pods.log)
    assert overview(brokers).look().week_whole.tokens == 20


def test_without_a_price_there_are_no_dollars() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    spend(pods, 100, price=None, products=1)
    brokers.keep(pods.log)
    assert overview(brokers).look().week["products"] == Spend(1, 1, 100, None)


def test_a_second_look_reads_only_what_is_new() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    looking = overview(brokers)
    spend(pods, 100, products=1)
    brokers.keep(pods.log)
    looking.look()
    spend(pods, 50, products=1)
    brokers.keep(pods.log)
    assert looking.look().today.whole.tokens == 150
    assert brokers.reads == [Span(0, 1), Span(1, 2)]


def test_what_could_not_be_read_of_the_state_topic_is_read_by_the_next_look() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    looking = overview(brokers)
    spend(pods, 100, products=1)
    spend(pods, 50, products=1)
    brokers.keep(pods.log)
    brokers.silent_after = 1
    with pytest.raises(RetriableError):
        looking.look()
    brokers.silent_after = None
    assert looking.look().today.whole.tokens == 150
    assert brokers.reads == [Span(0, 2), Span(1, 2)], "nothing is counted twice"


def test_a_state_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    looking = overview(brokers)
    spend(pods, 100, products=1)
    spend(pods, 100, products=1)
    brokers.keep(pods.log)
    looking.look()
    anew = Pods()
    spend(anew, 7, products=1)
    brokers.keep(anew.log)
    assert looking.look().today.whole.tokens == 7


def test_the_budget_is_counted_call_by_call_and_by_the_limit_of_the_file() -> None:
    pods, brokers = Pods(), MemoryBrokers()
    limit = Limit(1000, 10**9)
    purse = pods.pod(Budget(limit, PRICE)).purse
    first, under_way = purse.reserve(600), purse.reserve(320)
    assert first is not None
    assert under_way is not None
    first.settle(500)
    brokers.keep(pods.log)
    raised = overview(brokers, Limit(2000, None)).look().budget
    found = overview(brokers, limit).look().budget
    assert found is not None
    assert raised is not None
    assert found.used == "$0.000250 of $0.001 and 500 of 1,000 tokens spent"
    assert found.share == pytest.approx(0.82)
    assert raised.share == pytest.approx(0.41)


@pytest.mark.parametrize(
    ("spent", "waiting", "expected"), [(950, 5, True), (950, 0, False), (500, 5, False)]
)
def test_rows_that_wait_before_an_empty_purse_look_paused(
    spent: int, waiting: int, *, expected: bool
) -> None:
    pods, brokers = Pods(), MemoryBrokers()
    reservation = pods.purse().reserve(spent)
    assert reservation is not None
    reservation.settle(spent)
    brokers.keep(pods.log)
    brokers.left = {place(0): Span(0, waiting)}
    assert overview(brokers, Limit(1000)).look().is_probably_paused is expected


def test_records_of_others_in_the_state_topic_are_passed_over() -> None:
    brokers = MemoryBrokers()
    brokers.topics[TopicPartition(STATE, 0)] = [
        Record(STATE, 0, 0, b"truncate/products", b'{"at": 1}'),
        Record(STATE, 0, 1, b"totals/2026-11-26/pod", b"no json"),
        Record(STATE, 0, 2, b"spend/2026-11-26/pod/1", b"[1]"),
        Record(STATE, 0, 3, None, b"{}"),
    ]
    found = overview(brokers, Limit(1000)).look()
    assert found.today.whole == Spend()
    assert found.budget is not None
    assert found.budget.share == 0.0


def test_the_newest_letter_of_all_partitions_says_what_failed_last() -> None:
    brokers = MemoryBrokers()
    at_ms = int(NOON.timestamp() * 1000)
    for _ in range(5):
        brokers.letter(0, "TextTooLong", at_ms - 1000)
    brokers.letter(1, "UnavailableColumn", at_ms)
    looking = overview(brokers)
    letters = looking.look().letters
    assert looking.look().letters == letters
    assert letters is not None
    assert (letters.records, letters.last_kind) == (6, "UnavailableColumn")
    assert letters.last_at == datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    assert [span for span in brokers.reads if span.length] == [Span(0, 5), Span(0, 1)]


@pytest.mark.parametrize(("at_ms", "year"), [(2**63 - 1, 9999), (-(2**63), 1)])
def test_a_letter_of_no_time_that_a_calendar_knows_is_shown_all_the_same(
    at_ms: int, year: int
) -> None:
    brokers = MemoryBrokers()
    brokers.letter(0, "TextTooLong", at_ms)
    letters = overview(brokers).look().letters
    assert letters is not None
    assert letters.last_at is not None
    assert letters.last_at.year == year


def test_a_letter_of_a_kafka_connect_has_no_kind() -> None:
    brokers = MemoryBrokers()
    brokers.letter(0, None)
    letters = overview(brokers).look().letters
    assert letters is not None
    assert (letters.records, letters.open, letters.last_kind) == (1, 1, None)


def test_letters_of_other_connectors_are_neither_open_nor_the_last_one() -> None:
    brokers = MemoryBrokers()
    at_ms = int(NOON.timestamp() * 1000)
    brokers.letter(0, "TextTooLong", at_ms)
    brokers.letter(0, "TextRefused", at_ms + 5, connector="stock")
    brokers.letter(1, "TextRefused", at_ms + 5, connector="stock")
    letters = overview(brokers).look().letters
    assert letters is not None
    assert (letters.records, letters.open, letters.last_kind) == (3, 1, "TextTooLong")


def test_what_was_closed_long_ago_is_not_read_again() -> None:
    brokers = MemoryBrokers()
    for _ in range(9):
        brokers.letter(0, "TextTooLong")
    brokers.closed = {TopicPartition(LETTERS, 0): 5}
    assert _open(overview(brokers)) == 4
    assert brokers.reads == [Span(5, 9)]
    brokers.reads.clear()
    brokers.closed = {TopicPartition(LETTERS, 0): 9}
    assert overview(brokers).look().letters is not None
    assert brokers.reads == [Span(6, 9)], "the last few tell what failed last"


def test_letters_that_are_closed_are_not_open() -> None:
    brokers = MemoryBrokers()
    for _ in range(4):
        brokers.letter(0, "TextTooLong")
    brokers.letter(1, "TextTooLong")
    looking = overview(brokers)
    assert _open(looking) == 5
    log = MemoryLog()
    book = LetterBook(MemoryStateTopic(log))
    for offset, state in enumerate((LetterState.REPLAYED, LetterState.DISCARDED, LetterState.OPEN)):
        book.settle(LetterId("", 0, offset), state)
    book.settle(LetterId("another topic", 0, 3), LetterState.REPLAYED)
    book.settle(LetterId("", 0, 77), LetterState.REPLAYED)
    brokers.keep(log)
    assert _open(looking) == 3
    book.ask({LetterId("", 0, 0): LetterOrigin("shop", "", 0, 1)}, "run", force=True)
    brokers.keep(log)
    assert _open(looking) == 4


def _open(looking: Overview) -> int:
    letters = looking.look().letters
    assert letters is not None
    return letters.open
