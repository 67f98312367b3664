"""Why letters wait: said by the owner of their partition, heard by everybody."""

from __future__ import annotations

from worker.letters.book import LetterBook
from worker.letters.delays import Delays
from worker.letters.standing import LetterId, LetterOrigin, LetterState
from worker.model import TopicPartition
from worker.state.memory import MemoryLog, MemoryStateTopic

PLACE = TopicPartition("shop/orders", 3)
ORIGIN = LetterOrigin("shop/orders", "orders-id", 3, 1200)
LETTER = LetterId("dlq-id", 0, 7)


def test_a_letter_that_is_asked_for_says_why_it_waits_and_no_other_does() -> None:
    log = MemoryLog()
    command, owner = LetterBook(MemoryStateTopic(log)), LetterBook(MemoryStateTopic(log))
    command.ask({LETTER: ORIGIN}, "run")
    owner.delays.say(PLACE, "the connector is paused")
    assert command.standing(LETTER).note == "the connector is paused"
    assert command.standings()[LETTER].note == "the connector is paused"
    owner.settle(LETTER, LetterState.REPLAYED)
    assert command.standing(LETTER).note == ""


def test_it_is_said_once_and_taken_back() -> None:
    log = MemoryLog()
    owner, command = Delays(MemoryStateTopic(log)), Delays(MemoryStateTopic(log))
    for _ in range(3):
        owner.say(PLACE, "paused")
    assert len(log.records) == 1
    owner.say(PLACE, "")
    assert command.why(PLACE) == ""
    assert not command.are_known
    owner.say(PLACE, "")
    assert len(log.records) == 2


def test_who_takes_over_takes_back_what_the_former_owner_said() -> None:
    log = MemoryLog()
    Delays(MemoryStateTopic(log)).say(PLACE, "paused")
    heir = Delays(MemoryStateTopic(log))
    assert heir.why(PLACE) == "paused"
    heir.say(PLACE, "")
    assert not Delays(MemoryStateTopic(log)).are_known


def test_who_comes_back_says_again_what_another_has_taken_back_meanwhile() -> None:
    log = MemoryLog()
    first, second = Delays(MemoryStateTopic(log)), Delays(MemoryStateTopic(log))
    first.say(PLACE, "paused")
    second.say(PLACE, "")
    first.look_again()
    first.say(PLACE, "paused")
    assert second.why(PLACE) == "paused"


def test_while_nothing_can_be_posted_it_is_said_later() -> None:
    log = MemoryLog()
    topic = MemoryStateTopic(log)
    owner, command = Delays(topic), Delays(MemoryStateTopic(log))
    topic.refuse_posts()
    owner.say(PLACE, "paused")
    assert command.why(PLACE) == ""
    topic.up()
    owner.say(PLACE, "paused")
    assert command.why(PLACE) == "paused"
