"""What a replay asks for, and how it counts answers; a worker is somebody who settles."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from tests.unit.triage.office import SOURCE, TOPIC, Office, waiting
from worker.cli.dlq_object import outlook_object, replay_object
from worker.cli.dlq_replay_report import print_left_out, print_outlooks, print_summary
from worker.letters.book import LetterBook
from worker.letters.standing import LetterState
from worker.model import TopicPartition
from worker.state.memory import MemoryStateTopic
from worker.triage.outlook import Fate, Outlook
from worker.triage.replay import Replay, Terms, homeless

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = TopicPartition(SOURCE, 0)


def replay_of(office: Office) -> Replay:
    return Replay.of(office.book, office.found().cases, waiting())


def printed(show: Callable[[Console], None]) -> str:
    out = StringIO()
    show(Console(file=out, width=120))
    return " ".join(out.getvalue().split())


def test_asking_writes_down_what_is_wanted_where_a_worker_reads_it() -> None:
    office = Office()
    letters = [office.fail(offset) for offset in range(3)]
    replay = replay_of(office)
    replay.ask(Terms("run-1", per_s=6.0))
    worker = LetterBook(MemoryStateTopic(office.state))
    asked = worker.asked(PLACE)
    assert list(asked) == letters
    assert {(one.run, one.per_s, one.force) for one in asked.values()} == {("run-1", 6.0, False)}
    assert replay.unanswered == 3


def test_answers_are_counted_as_they_come_and_the_rest_stands() -> None:
    office = Office()
    first, second, third = (office.fail(offset) for offset in range(3))
    replay = replay_of(office)
    replay.ask(Terms("run-1"))
    worker = LetterBook(MemoryStateTopic(office.state))
    worker.settle(first, LetterState.REPLAYED)
    worker.settle(second, LetterState.OPEN, "nobody can say what came after it")
    assert replay.answers() == {LetterState.REPLAYED: 1, LetterState.OPEN: 1}
    assert replay.unanswered == 1
    assert list(replay.undecided()) == [second]
    worker.settle(third, LetterState.SUPERSEDED)
    assert replay.unanswered == 0


def test_a_second_replay_asks_again_only_for_what_is_not_closed() -> None:
    office = Office()
    first, second = office.fail(1), office.fail(2)
    found = office.found().cases
    office.book.settle(first, LetterState.REPLAYED)
    again = Replay.of(office.book, found, waiting())
    again.ask(Terms("run-2"))
    assert list(office.book.asked(PLACE)) == [second]
    assert again.answers() == {LetterState.REPLAYED: 1}


def test_letters_of_topics_that_the_connector_does_not_read_are_nobodys() -> None:
    office = Office()
    office.fail(1)
    office.fail(2, topic="old.public.products")
    assert [case.letter.offset for case in homeless(office.found().cases, {PLACE})] == [1]


def test_the_summary_says_what_became_of_them_and_what_is_left() -> None:
    office = Office()
    first, second, _ = (office.fail(offset) for offset in range(3))
    replay = replay_of(office)
    replay.ask(Terms("run-1"))
    office.book.settle(first, LetterState.RETURNED)
    office.book.settle(second, LetterState.OPEN, "its record is gone")
    text = printed(lambda console: print_summary(console, TOPIC, replay, 2))
    assert "failed again" in text
    assert "1 open: its record is gone" in text
    assert "1 stay asked for" in text
    assert "shop-dlq: 2 open." in text
    made = replay_object(replay, lost=0, worn=1, left=2)
    assert (made["asked"], made["returned"], made["unanswered"]) == (3, 1, 1)
    assert made["undecided"] == [{"partition": 0, "offset": 1, "why": "its record is gone"}]


def test_what_is_left_out_is_said_with_the_reason() -> None:
    office = Office()
    office.fail(1)
    cases = office.found().cases
    text = printed(lambda console: print_left_out(console, cases, cases))
    assert "--force" in text
    assert f"does not read {SOURCE}" in text
    assert printed(lambda console: print_left_out(console, [], [])) == ""


def test_outlooks_are_counted_by_fate_and_failures_say_why() -> None:
    office = Office()
    letters = [office.fail(offset) for offset in range(3)]
    outlooks = [
        Outlook(letters[0], Fate.WRITTEN),
        Outlook(letters[1], Fate.FAILS, "BrokenAvro: [red]cut off"),
        Outlook(letters[2], Fate.SUPERSEDED, "by offset 9"),
    ]
    text = printed(lambda console: print_outlooks(console, TOPIC, outlooks))
    assert "1 fails: BrokenAvro: [red]cut off" in text
    assert "Nothing was changed" in text
    assert outlook_object(outlooks)["fates"] == {"written": 1, "fails": 1, "superseded": 1}
    nothing = printed(lambda console: print_outlooks(console, TOPIC, []))
    assert nothing == "shop-dlq: nothing to replay."
