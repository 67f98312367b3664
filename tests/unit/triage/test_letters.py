"""Letters as commands find, count and close them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.triage.office import HOUR_MS, NOON_MS, STATE, TOPIC, Office
from worker.errors import Stage
from worker.letters.standing import LetterId, LetterOrigin, LetterState
from worker.model import TopicPartition
from worker.triage.copied import CopiedBook
from worker.triage.prefix import closed_prefix
from worker.triage.selection import Selection
from worker.triage.tally import Tally
from worker.triage.vigil import Vigil

PLACE = TopicPartition(TOPIC, 0)


def keep_state(office: Office) -> None:
    """The state topic as Kafka holds it."""
    log = office.broker.log(TopicPartition(STATE, 0))
    for _, key, value in office.state.records[log.end if log else 0 :]:
        office.broker.produce(STATE, key.encode(), value)


def test_letters_are_counted_by_class_stage_table_and_hour() -> None:
    office = Office()
    for offset in range(3):
        office.fail(offset, at_ms=NOON_MS + offset)
    office.fail(9, kind="BrokenAvro", stage=Stage.VALUE_CONVERTER, at_ms=NOON_MS + HOUR_MS + 5)
    office.fail(10, table="orders")
    tally = Tally.of(office.found().cases)
    assert tally.letters == 5
    assert tally.kinds == {"TextRefused": 4, "BrokenAvro": 1}
    assert tally.stages == {"EMBED": 4, "VALUE_CONVERTER": 1}
    assert tally.tables == {"public.products": 4, "public.orders": 1}
    assert tally.hours == {NOON_MS: 4, NOON_MS + HOUR_MS: 1}
    assert (tally.first_ms, tally.last_ms) == (NOON_MS, NOON_MS + HOUR_MS + 5)
    assert tally.states == {LetterState.OPEN: 5}


def test_a_letter_that_failed_too_often_is_in_quarantine_until_it_is_closed() -> None:
    office = Office()
    letter = office.fail(1)
    for _ in range(2):
        office.book.settle(letter, LetterState.RETURNED)
        letter = office.fail_again(letter)
    states = [case.state for case in office.found().all]
    assert states == [LetterState.RETURNED, LetterState.RETURNED, LetterState.QUARANTINED]
    office.book.settle(letter, LetterState.DISCARDED, "no use")
    assert office.found().all[-1].state is LetterState.DISCARDED


def test_a_letter_knows_the_record_that_failed() -> None:
    office = Office()
    office.fail(41)
    (case,) = office.found().cases
    assert case.origin == LetterOrigin("shop.public.products", "source-id", 0, 41)


def test_what_says_nothing_of_a_failure_is_counted_and_left_alone() -> None:
    office = Office()
    office.broker.produce(TOPIC, b"k", b"v")
    office.fail(1)
    found = office.found()
    assert (found.strangers, len(found.all)) == (1, 1)
    office.closing.discard(found.cases, "no use")
    assert office.closing.mark(found) == []
    assert office.committed == {PLACE: 2}


def test_each_connector_of_a_topic_finds_and_closes_its_own_letters_alone() -> None:
    office = Office()
    office.fail(1, connector="stock")
    own = office.fail(2)
    office.fail(3, connector="stock")
    found = office.found()
    assert [case.id for case in found.all] == [own]
    assert found.strangers == 2
    assert office.mailbox.at(PLACE, 0) is None
    office.closing.mark(found)
    assert office.committed == {PLACE: 1}, "of the other's letters nothing is left to be done here"
    office.closing.discard(found.cases, "no use")
    assert office.closing.mark(found) == []
    assert office.committed == {PLACE: 3}
    assert list(office.book.standings()) == [own]


def test_a_letter_that_does_not_say_whose_it_is_is_found_by_everybody() -> None:
    office = Office()
    office.fail(1, connector="")
    assert office.names() == ["0:0"]


def test_only_what_was_there_at_the_start_is_read() -> None:
    office = Office()
    office.fail(1)
    ends = office.mailbox.ends()
    office.fail(2)
    assert len(office.mailbox.find(Selection(), ends).all) == 1


def test_one_letter_is_read_with_its_bytes() -> None:
    office = Office()
    for offset in range(5):
        office.fail(offset, row=offset)
    found = office.mailbox.at(PLACE, 3)
    assert found is not None
    assert (found[0].letter.name, found[1].key) == ("0:3", b'{"id": 3}')


def test_where_no_letter_is_none_is_found() -> None:
    office = Office()
    office.broker.produce(TOPIC, b"k", b"v")
    assert office.mailbox.at(PLACE, 0) is None
    assert office.mailbox.at(PLACE, 1) is None
    assert office.mailbox.at(TopicPartition(TOPIC, 9), 0) is None


def test_a_discarded_letter_keeps_the_reason_and_is_closed() -> None:
    office = Office()
    letters = [office.fail(offset) for offset in range(3)]
    found = office.found()
    office.closing.discard(found.cases[:2], "test data")
    left = office.closing.mark(found)
    assert [case.id for case in left] == [letters[2]]
    standing = office.found().all[0].standing
    assert (standing.state, standing.note) == (LetterState.DISCARDED, "test data")
    assert office.committed == {PLACE: 2}


def test_the_committed_offset_is_that_of_the_first_open_letter_of_each_partition() -> None:
    office = Office(partitions=2)
    for partition in (0, 1):
        for offset in range(3):
            office.fail(offset, partition=partition)
    found = office.found()
    office.closing.discard([found.cases[0], found.cases[2], *found.cases[3:]], "no use")
    office.closing.mark(found)
    assert office.committed == {PLACE: 1, TopicPartition(TOPIC, 1): 3}


def test_a_topic_without_letters_is_closed_to_its_end() -> None:
    assert closed_prefix(Office().found()) == {PLACE: 0}


def test_what_retention_took_away_is_forgotten() -> None:
    office = Office()
    first = office.fail(1)
    office.fail(2)
    office.closing.discard(office.found().cases, "no use")
    log = office.broker.log(PLACE)
    assert log is not None
    log.truncate(1)
    office.closing.mark(office.found())
    assert first not in office.book.standings()
    assert len(office.book.standings()) == 1


def test_letters_of_a_topic_that_was_deleted_are_forgotten() -> None:
    office = Office()
    office.fail(1)
    office.closing.discard(office.found().cases, "no use")
    office.broker.delete_topic(TOPIC)
    office.broker.create_topic(TOPIC)
    office.closing.mark(office.found())
    assert office.book.standings() == {}


def test_letters_of_a_topic_that_goes_by_another_name_now_are_not_forgotten() -> None:
    office = Office()
    office.broker.create_topic("former-dlq")
    office.others = ["former-dlq"]
    former = LetterId(office.broker.topic_id("former-dlq"), 0, 3)
    office.book.settle(former, LetterState.DISCARDED, "no use")
    office.fail(1)
    office.closing.mark(office.found())
    assert list(office.book.standings()) == [former]


def test_where_the_cluster_does_not_tell_its_ids_nothing_is_forgotten() -> None:
    office = Office()
    office.book.settle(LetterId("former", 0, 3), LetterState.DISCARDED, "no use")
    replace(office.closing, topic_ids=list).mark(office.found())
    assert len(office.book.standings()) == 1


def test_the_book_is_read_beside_the_group_and_only_what_is_new() -> None:
    office = Office()
    office.broker.create_topic(STATE)
    copied = CopiedBook(office.reader(STATE), STATE)
    assert copied.standings() == {}
    letter = office.fail(1)
    office.book.settle(letter, LetterState.DISCARDED, "no use")
    office.book.keep()
    keep_state(office)
    assert copied.standings()[letter].state is LetterState.DISCARDED
    office.book.forget([letter])
    office.book.keep()
    keep_state(office)
    assert copied.standings() == {}


def test_without_a_state_topic_every_letter_is_untouched() -> None:
    office = Office()
    assert CopiedBook(office.reader(STATE), STATE).standings() == {}


def test_a_vigil_sees_what_comes_what_is_closed_and_what_goes() -> None:
    office = Office()
    vigil = Vigil(office.mailbox)
    assert vigil.look().all == []
    first = office.fail(1)
    assert [case.id for case in vigil.look().cases] == [first]
    second = office.fail(2)
    office.book.settle(first, LetterState.REPLAYED)
    found = vigil.look()
    assert [case.id for case in found.cases] == [second]
    assert len(found.all) == 2
    log = office.broker.log(PLACE)
    assert log is not None
    log.truncate(1)
    assert [case.id for case in vigil.look().all] == [second]
    office.broker.delete_topic(TOPIC)
    office.broker.create_topic(TOPIC)
    office.fail(9)
    assert [case.letter.origin_offset for case in vigil.look().all] == [9]


def test_letters_of_a_topic_that_is_gone_are_gone_too() -> None:
    office = Office()
    office.fail(1)
    vigil = Vigil(office.mailbox)
    assert len(vigil.look().cases) == 1
    office.broker.delete_topic(TOPIC)
    assert vigil.look().all == []
    office.broker.create_topic(TOPIC)
    office.fail(2)
    assert len(vigil.look().all) == 1


@pytest.mark.parametrize("connector", ["shop", "stock"])
def test_a_topic_that_was_made_anew_and_has_grown_between_two_looks_is_read_anew(
    connector: str,
) -> None:
    office = Office()
    office.fail(1)
    vigil = Vigil(office.mailbox)
    vigil.look()
    office.broker.delete_topic(TOPIC)
    office.broker.create_topic(TOPIC)
    first = office.fail(7)
    office.fail(8, connector=connector)
    found = vigil.look()
    assert found.all[0].id == first
    assert len(found.all) + found.strangers == 2
    assert len(vigil.look().all) == len(found.all)
