from __future__ import annotations

from tests.unit.triage.office import SOURCE, TOPIC, Office
from worker.dlq.reading import letters_of
from worker.lagging import OpenLetters
from worker.letters.counting import Census
from worker.letters.standing import LetterOrigin, LetterState
from worker.model import TopicPartition

PLACE = TopicPartition(TOPIC, 0)


def counting(office: Office) -> OpenLetters:
    book = office.book
    return OpenLetters(
        office.reader(TOPIC),
        Census(letters_of("shop")),
        lambda: [(one, said.state.is_closed) for one, said in book.standings().items()],
        office.closed_to,
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
    log = office.broker.log(PLACE)
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


def test_a_topic_that_was_made_anew_and_has_grown_is_read_anew() -> None:
    office = Office()
    letters = counting(office)
    office.fail(1)
    assert letters.count() == 1
    office.broker.delete_topic(TOPIC)
    office.broker.create_topic(TOPIC)
    for offset in range(3):
        office.fail(offset)
    letters.count()
    assert letters.count() == 3


def test_letters_of_other_connectors_and_what_is_no_letter_are_not_open() -> None:
    office = Office()
    letters = counting(office)
    office.fail(1)
    office.fail(2, connector="stock")
    office.broker.produce(TOPIC, b"k", b"v")
    assert letters.count() == 1
    office.fail(3, connector="stock")
    assert letters.count() == 1


def test_letters_that_were_closed_long_ago_count_again_once_they_are_asked_for() -> None:
    office = Office()
    closed = [office.fail(offset) for offset in range(9)]
    office.closing.discard(office.found().cases, "no use")
    office.closing.mark(office.found())
    assert office.committed == {PLACE: 9}
    letters = counting(office)
    assert letters.count() == 0
    origin = LetterOrigin(SOURCE, "source-id", 0, 0)
    office.book.ask({closed[0]: origin, closed[8]: origin}, "run", force=True)
    assert letters.count() == 2


def test_while_the_brokers_are_away_nobody_knows() -> None:
    office = Office()
    office.fail(1)
    office.broker.down()
    assert counting(office).count() is None


def test_the_group_is_asked_only_for_partitions_that_are_new() -> None:
    office = Office()
    letters = counting(office)
    for offset in range(3):
        office.fail(offset)
        letters.count()
    assert office.questions == 1
    office.broker.delete_topic(TOPIC)
    office.broker.create_topic(TOPIC)
    letters.count()
    assert office.questions == 2
