"""The book of dead letters: commands and owners meet in one record of each letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import RetriableError
from worker.letters.book import LetterBook
from worker.letters.standing import LetterId, LetterOrigin, LetterState, Standing
from worker.model import TopicPartition
from worker.state.memory import MemoryLog, MemoryStateTopic

LETTER = LetterId("dlq-id", 0, 7)
OTHER = LetterId("dlq-id", 1, 7)
ORIGIN = LetterOrigin("orders", "orders-id", 3, 1200)
ELSEWHERE = LetterOrigin("orders", "orders-id", 4, 9)
PLACE = TopicPartition("orders", 3)
OFFSETS = st.integers(0, 1 << 62)


def book(log: MemoryLog) -> LetterBook:
    return LetterBook(MemoryStateTopic(log), now_ms=lambda: 1234.5)


def test_a_letter_that_nobody_touched_is_open() -> None:
    assert book(MemoryLog()).standing(LETTER) == Standing(LetterState.OPEN)


def test_what_one_asks_the_owner_of_the_origin_sees() -> None:
    log = MemoryLog()
    owner = book(log)
    book(log).ask({LETTER: ORIGIN}, "run-1", per_s=5)
    expected = Standing(LetterState.ASKED, "", 1234, "run-1", ORIGIN, per_s=5.0)
    assert owner.asked(PLACE) == {LETTER: expected}
    assert owner.standing(LETTER) == expected
    assert owner.asked(TopicPartition("orders", 4)) == {}


def test_an_ask_outlives_everybody_and_compaction() -> None:
    log = MemoryLog()
    book(log).ask({LETTER: ORIGIN}, "run-1")
    log.compact()
    assert list(book(log).asked(PLACE)) == [LETTER]


def test_a_rate_is_shared_by_the_partitions_of_the_run() -> None:
    log = MemoryLog()
    book(log).ask({LETTER: ORIGIN, OTHER: ELSEWHERE}, "run-1", per_s=5)
    assert book(log).standing(LETTER).per_s == 2.5


def test_what_the_owner_settles_the_command_sees() -> None:
    log = MemoryLog()
    command, topic = book(log), MemoryStateTopic(log)
    owner = LetterBook(topic, now_ms=lambda: 1234.5)
    command.ask({LETTER: ORIGIN}, "run-1")
    topic.refuse_posts()
    owner.settle(LETTER, LetterState.SUPERSEDED, "by offset 1300")
    assert owner.standing(LETTER).state is LetterState.SUPERSEDED, "known here at once"
    assert command.standing(LETTER).state is LetterState.ASKED
    topic.up()
    owner.flush()
    settled = Standing(LetterState.SUPERSEDED, "by offset 1300", 1234, "run-1", ORIGIN)
    assert command.standing(LETTER) == owner.standing(LETTER) == settled
    assert not owner.asked(PLACE)
    assert not owner.has_asked


def test_a_closed_letter_is_not_asked_for_again() -> None:
    log = MemoryLog()
    owner = book(log)
    owner.settle(LETTER, LetterState.DISCARDED, "a test row")
    owner.keep()
    book(log).ask({LETTER: ORIGIN}, "run-1")
    assert owner.standing(LETTER).state is LetterState.DISCARDED
    assert not owner.has_asked


def test_force_asks_for_a_closed_letter_again() -> None:
    log = MemoryLog()
    owner = book(log)
    owner.settle(LETTER, LetterState.DISCARDED, "by mistake")
    owner.keep()
    book(log).ask({LETTER: ORIGIN}, "run-1", force=True)
    assert owner.standing(LETTER).state is LetterState.ASKED
    assert owner.has_asked


def test_who_asks_while_the_letter_is_closed_leaves_it_closed_for_good() -> None:
    log = MemoryLog()
    owner = book(log)
    topic = MemoryStateTopic(log)
    late = LetterBook(topic)
    topic.hold()
    owner.settle(LETTER, LetterState.REPLAYED)
    owner.keep()
    assert late.standing(LETTER).state is LetterState.OPEN, "it has not read that yet"
    late.ask({LETTER: ORIGIN}, "run-2")
    assert late.standing(LETTER).state is LetterState.REPLAYED
    log.compact()
    assert book(log).standing(LETTER).state is LetterState.REPLAYED


def test_an_ask_waits_for_the_brokers() -> None:
    log = MemoryLog()
    topic = MemoryStateTopic(log)
    command = LetterBook(topic)
    topic.down()
    with pytest.raises(RetriableError):
        command.ask({LETTER: ORIGIN}, "run-1")
    topic.up()
    command.ask({LETTER: ORIGIN}, "run-1")
    assert book(log).has_asked


def test_what_could_not_be_posted_goes_with_the_next() -> None:
    log = MemoryLog()
    topic = MemoryStateTopic(log)
    owner = LetterBook(topic)
    topic.refuse_posts()
    owner.settle(LETTER, LetterState.REPLAYED)
    with pytest.raises(RetriableError):
        owner.keep()
    topic.up()
    owner.keep()
    assert book(log).standing(LETTER).state is LetterState.REPLAYED


def test_letters_that_are_gone_are_forgotten() -> None:
    log = MemoryLog()
    command = book(log)
    command.ask({LETTER: ORIGIN}, "run-1")
    command.forget([LETTER])
    command.keep()
    assert command.standings() == book(log).standings() == {}
    assert not command.has_asked


def test_what_is_not_understood_is_left_out() -> None:
    log = MemoryLog()
    log.append(LETTER.key, {"state": "a state of a later version"})
    log.append("letter/now", {})
    log.append("letter/what/ever/1", {"state": "open"})
    assert book(log).standings() == {}


@given(
    st.builds(
        Standing,
        state=st.sampled_from(LetterState),
        note=st.text(),
        at_ms=st.none() | OFFSETS,
        run=st.text(),
        origin=st.none() | st.builds(LetterOrigin, st.text(), st.text(), OFFSETS, OFFSETS),
        per_s=st.none() | st.floats(0.001, 1e6),
        force=st.booleans(),
    )
)
def test_a_standing_reads_as_it_was_written(standing: Standing) -> None:
    log = MemoryLog()
    log.append(LETTER.key, standing.value)
    assert book(log).standing(LETTER) == standing


@given(st.builds(LetterId, st.text(), OFFSETS, OFFSETS))
def test_a_letter_is_found_by_its_key(letter: LetterId) -> None:
    assert LetterId.of_key(letter.key) == letter


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "force", "settle", "discard", "hold", "read"]),
        st.integers(0, 2),
        st.sampled_from([LETTER, OTHER]),
    ),
    max_size=12,
)


@given(ACTS)
def test_whatever_pods_do_in_the_end_all_agree(acts: list[tuple[str, int, LetterId]]) -> None:
    log = MemoryLog()
    topics = [MemoryStateTopic(log) for _ in range(3)]
    books = [LetterBook(topic) for topic in topics]
    for act, pod, letter in acts:
        one, topic = books[pod], topics[pod]
        if act in {"ask", "force"}:
            one.ask({letter: ORIGIN}, act, force=act == "force")
        elif act == "hold":
            topic.hold()
        elif act == "read":
            one.sync()
        elif act == "settle" and one.standing(letter).state is LetterState.ASKED:
            one.settle(letter, LetterState.REPLAYED)
            one.keep()
        elif act == "discard":
            one.settle(letter, LetterState.DISCARDED)
            one.keep()
    for one in books:
        one.sync()
    log.compact()
    assert books[0].standings() == books[1].standings() == books[2].standings()
    assert book(log).standings() == books[0].standings()
    assert book(log).asked(PLACE) == books[0].asked(PLACE)
