from __future__ import annotations

from tests.unit.triage.office import TOPIC, Office
from worker.lagging import OpenLetters
from worker.letters.standing import LetterState
from worker.model import TopicPartition


def counting(office: Office) -> OpenLetters:
    book = office.book
    return OpenLetters(
        office.reader(TOPIC),
        lambda: [one for one, said in book.standings().items() if said.state.is_closed],
    )


def test_open_are_letters_that_the_topic_holds_and_nobody_closed() -> None:
    office = Office(partitions=2)
    letters = counting(office)
    assert letters.count() == 0
    first = office.fail(1)
    office.fail(2)
    office.fail(3, partition=1)
    assert letters.count() == 3
    office.book.settle(first, LetterState.REPLAYED)
    assert letters.count() == 2
    log = office.broker.log(TopicPartition(TOPIC, 0))
    assert log is not None
    log.truncate(1)
    assert letters.count() == 2


def test_letters_of_a_topic_that_was_made_anew_are_others() -> None:
    office = Office()
    letters = counting(office)
    office.book.settle(office.fail(1), LetterState.REPLAYED)
    office.fail(2)
    assert letters.count() == 1
    office.broker.delete_topic(TOPIC)
    office.broker.create_topic(TOPIC)
    office.fail(1)
    assert letters.count() == 1


def test_while_the_brokers_are_away_nobody_knows() -> None:
    office = Office()
    office.fail(1)
    office.broker.down()
    assert counting(office).count() is None
