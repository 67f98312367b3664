"""What replays would do, said beforehand; and one letter in full."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.explained import DEAD_LETTERS, explainer_of, reader_of, send_letters
from tests.pipeline.world import POISON, json_decoder
from worker.clock import FakeClock
from worker.dlq import reading as dlq_reading
from worker.dlq.reading import letter_of
from worker.errors import ConfigError
from worker.estimate.stored import Waiting
from worker.explain.reading import Reading
from worker.letters.case import Filing
from worker.model import TopicPartition
from worker.pipeline.letters import LetterReading
from worker.pipeline.letters import Reading as ReplayReading
from worker.pipeline.patience import Patience
from worker.pipeline.tail import TailReading
from worker.triage.dossier import Dossier, dossier_of
from worker.triage.mailbox import Mailbox
from worker.triage.outlook import Fate, Foresight, in_order
from worker.triage.selection import Selection, Stretch

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World
    from worker.triage.outlook import Outlook

MAX_REPLAYS = 3


def patience() -> Patience:
    return Patience(abort=threading.Event(), clock=FakeClock(), timeout_s=5.0)


def mailbox_of(world: World) -> Mailbox:
    return Mailbox(
        reader=reader_of(world, DEAD_LETTERS),
        filing=Filing(letter_of, dict, MAX_REPLAYS),
        reading=Reading(json_decoder(frozenset()), Waiting(patience())),
    )


def foresight_of(world: World) -> Foresight:
    reading = ReplayReading(json_decoder(world.documents.columns), patience())
    return Foresight(
        LetterReading(
            DEAD_LETTERS, reader_of(world, DEAD_LETTERS), reading, dlq_reading, MAX_REPLAYS
        ),
        TailReading(reader_of(world, world.table.topic), reading, world.table.partition_of),
        explainer_of(world).rehearsal,
    )


def outlooks(world: World) -> list[Outlook]:
    """In the order of the letters; nothing is changed by it."""
    send_letters(world)
    mailbox = mailbox_of(world)
    found = mailbox.find(Selection(), mailbox.ends())
    seen: list[int] = []
    made = in_order(foresight_of(world).of(found.cases, force=False, progress=seen.append))
    assert sum(seen) == len(found.cases) == len(made)
    return made


def fates(world: World) -> list[Fate]:
    return [one.fate for one in outlooks(world)]


def dossier(world: World, place: str) -> Dossier:
    send_letters(world)
    explainer, foresight = explainer_of(world), foresight_of(world)
    return dossier_of(Stretch.parse(place), DEAD_LETTERS, mailbox_of(world), explainer, foresight)


def test_what_fails_for_the_same_reason_would_be_written_as_dry_runs_do_not_embed(
    world: World,
) -> None:
    """Whether a provider still refuses a text shows only when it is asked, and paid."""
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    assert fates(world) == [Fate.WRITTEN]


def test_a_row_that_changed_since_is_superseded(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    world.table.update(1, body="good")
    world.settle()
    (found,) = outlooks(world)
    assert found.fate is Fate.SUPERSEDED
    assert "by offset" in found.why


def test_a_row_that_was_deleted_since_is_superseded(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    world.table.delete(1)
    world.settle()
    assert fates(world) == [Fate.SUPERSEDED]


def test_a_change_that_nobody_has_read_yet_supersedes_as_well(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    world.table.update(1, body="good")
    assert fates(world) == [Fate.SUPERSEDED]


def test_what_nobody_can_read_fails_again(world: World) -> None:
    world.table.garbage(1)
    world.member()
    world.settle()
    (found,) = outlooks(world)
    assert found.fate is Fate.FAILS
    assert found.why


def test_what_came_after_a_letter_whose_record_is_gone_is_unknown(make_world: Worlds) -> None:
    world = make_world(partitions=1)
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    log = world.broker.log(TopicPartition(world.table.topic, 0))
    assert log is not None
    log.truncate(1)
    (found,) = outlooks(world)
    assert found.fate is Fate.UNDECIDED
    assert "does not hold its record" in found.why


def test_a_partial_change_that_failed_as_well_goes_with_the_letter_before_it(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    world.table.update(1, price=9, without=("body",))
    world.settle()
    first, second = outlooks(world)
    assert (first.fate, second.fate) == (Fate.WRITTEN, Fate.WRITTEN)
    assert second.why == "with the letter 0:0"


def test_many_letters_of_several_partitions_are_looked_at_at_once(make_world: Worlds) -> None:
    world = make_world(partitions=3)
    for row in range(40):
        world.table.insert(row, body=POISON)
    world.member()
    world.settle()
    for row in range(0, 40, 2):
        world.table.update(row, body="good")
    world.settle()
    found = fates(world)
    assert found.count(Fate.SUPERSEDED) == 20
    assert found.count(Fate.WRITTEN) == 20


def test_a_dossier_shows_the_row_its_text_and_every_failure(world: World) -> None:
    world.table.insert(1, name="tent", body=POISON)
    world.member()
    world.settle()
    found = dossier(world, "0:0")
    assert found.row is not None
    assert (found.row["name"], found.row["body"]) == ("tent", POISON)
    assert found.text is not None
    assert POISON in found.text.text
    assert [failure.kind for failure in found.failures] == ["TextRefused"]
    assert found.record.headers == ()
    assert found.outlook.fate is Fate.WRITTEN


def test_a_dossier_of_broken_bytes_says_why_they_cannot_be_read(world: World) -> None:
    world.table.garbage(1)
    world.member()
    world.settle()
    found = dossier(world, "0:0")
    assert (found.row, found.text) == (None, None)
    assert found.step.error is not None


def test_where_no_letter_stands_there_is_nothing_to_show(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    with pytest.raises(ConfigError, match="no letter at 0:7"):
        dossier(world, "0:7")
