"""Each verdict of ``vecsink explain``, and that it is what the worker then does."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.explained import catch_up, explained, explainer_of, verdict
from tests.pipeline.replaying import Command
from tests.pipeline.table import TOPIC
from tests.pipeline.world import GROUP, POISON
from worker.errors import ConfigError, RetriableError
from worker.explain.rehearsal import Course
from worker.explain.verdict import Kind, verdict_of
from worker.explain.wanted import Wanted
from worker.flow.batching import BatchPolicy
from worker.letters.standing import LetterState
from worker.model import Outcome, Point, TopicPartition
from worker.reselect.memory import MemoryReselector
from worker.source.port import Commit, Standing
from worker.store.port import Deletion

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World
    from worker.explain.verdict import Verdict


def rewrite(world: World, row: int, **stamp: object) -> None:
    """Let the index say something else of a row's point."""
    point = world.points[row]
    assert point.stamp is not None
    changed = Point(point.id, point.vector, point.metadata, replace(point.stamp, **stamp))  # type: ignore[arg-type]
    world.store.upsert(TOPIC, [changed])


def test_a_row_in_the_index_is_current(world: World) -> None:
    world.table.insert(1, name="tent")
    catch_up(world)
    found = explained(world, 1)
    assert verdict(world, 1).kind is Kind.CURRENT
    assert found.entry is not None
    assert found.entry.address == (TOPIC, "1")
    assert found.text is not None
    assert found.text.text == "Name: tent\nb"
    assert found.row == {"id": 1, "name": "tent", "body": "b", "price": 0}
    assert found.has_newest


def test_a_change_that_left_text_and_metadata_alone_is_current_too(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.table.read_again(1)
    # A store that guards itself gets the new Position, against late writes of others.
    guarded = world.store.capabilities.guarded
    assert verdict(world, 1).kind is (Kind.NOT_YET if guarded else Kind.UNCHANGED)
    catch_up(world)
    assert verdict(world, 1).kind is Kind.CURRENT


def test_a_new_row_is_not_yet_there_and_the_lag_is_named(world: World) -> None:
    for row in (2, 4, 6):
        world.table.insert(row)
    found = verdict(world, 4)
    assert found.kind is Kind.NOT_YET
    assert "3 records behind in partition 0, 1 of them before this one" in found.sentence
    assert "as the index has no point of it" in found.sentence


def test_a_new_price_keeps_the_vector_and_a_new_name_does_not(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.table.update(1, price=2)
    assert "with the vector that the index has" in verdict(world, 1).sentence
    world.table.update(1, name="new")
    assert "will be embedded, as the index has another one" in verdict(world, 1).sentence


def test_after_a_rewind_the_row_is_current_and_will_be_read_again(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.rewind()
    found = verdict(world, 1)
    assert found.kind is Kind.CURRENT
    assert "will read it again" in found.sentence


def test_a_refused_text_is_in_the_dead_letter_topic(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.table.update(1, name=POISON)
    catch_up(world)
    found = verdict(world, 1)
    assert found.kind is Kind.DEAD_LETTERED
    assert "TextRefused: the text is refused" in found.sentence
    assert "its point as of offset 0" in found.sentence


def test_a_record_that_nobody_can_read_is_known_by_its_origin(world: World) -> None:
    world.table.garbage(1)
    assert "it will go to the dead-letter topic as" in verdict(world, 1).sentence
    catch_up(world)
    assert verdict(world, 1).kind is Kind.DEAD_LETTERED


def test_a_change_after_a_dead_letter_counts_more_than_the_letter(world: World) -> None:
    world.table.insert(1, name=POISON)
    catch_up(world)
    world.table.update(1, name="good")
    catch_up(world)
    assert verdict(world, 1).kind is Kind.CURRENT
    assert len(explained(world, 1).letters) == 1


def test_without_a_dead_letter_topic_a_bad_record_stops_the_task(make_world: Worlds) -> None:
    world = make_world(tolerant=False)
    world.table.garbage(1)
    assert "then it stops the task as" in verdict(world, 1).sentence


def test_a_false_condition_and_a_missing_text_are_told_apart(make_world: Worlds) -> None:
    world = make_world(when="name != 'hidden'")
    world.table.insert(1, name="hidden")
    world.table.insert(2, name="", body="")
    assert "stays out of the index: document.when is false" in verdict(world, 1).sentence
    catch_up(world)
    assert verdict(world, 1).kind is Kind.FILTERED
    assert verdict(world, 2).kind is Kind.NO_TEXT
    assert explained(world, 1).when is False


def test_a_deleted_row_says_when(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.table.delete(1)
    assert "then its point will be deleted" in verdict(world, 1).sentence
    catch_up(world)
    found = verdict(world, 1)
    assert found.kind is Kind.DELETED
    assert "deleted at 1970-01-01T00:00:01.002Z; the index has no point of it" in found.sentence


def test_a_point_that_outlived_its_row_is_named(make_world: Worlds) -> None:
    world = make_world(guarded=False)
    world.table.insert(1)
    catch_up(world)
    point = world.points[1]
    world.table.delete(1)
    catch_up(world)
    world.store.upsert(TOPIC, [point])
    found = verdict(world, 1)
    assert found.kind is Kind.OUTDATED
    assert "deleted at" in found.sentence
    assert "the index has its point as of offset 0" in found.sentence


def test_a_moved_row_is_found_under_both_keys(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.table.move(1, 2)
    catch_up(world)
    assert verdict(world, 1).kind is Kind.MOVED
    assert verdict(world, 2).kind is Kind.CURRENT


def test_a_vector_in_the_parking_place_is_seen(make_world: Worlds) -> None:
    world = make_world()
    world.table.insert(1)
    catch_up(world)
    world.table.move(1, 2)
    world.broker.group(GROUP).committed[TopicPartition(TOPIC, 0)] = Commit(
        1, Standing.CLEAN
    )  # nobody makes row 2
    member = world.member()
    world.until(lambda: world.committed[TopicPartition(TOPIC, 1)] == 3)
    world.stop(member)
    assert "its vector is parked for its new key" in verdict(world, 1).sentence


def test_an_index_that_is_ahead_makes_the_record_stale(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    position = world.table.history[1, 1][0].offset + 5
    stamp = world.points[1].stamp
    assert stamp is not None
    rewrite(world, 1, position=replace(stamp.position, offset=position))
    found = verdict(world, 1)
    assert found.kind is Kind.STALE
    assert "offset 5 of partition 1" in found.sentence


def test_an_older_text_in_the_index_would_be_embedded(make_world: Worlds) -> None:
    world = make_world(guarded=False)
    world.table.insert(1, name="old")
    catch_up(world)
    old = world.points[1]
    world.table.update(1, name="new")
    catch_up(world)
    world.store.upsert(TOPIC, [old])
    found = verdict(world, 1)
    assert found.kind is Kind.OUTDATED
    assert "an older text (offset 0 of partition 1)" in found.sentence


def test_another_text_of_the_same_record_points_at_the_configuration(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    rewrite(world, 1, fingerprint="another")
    assert "the connector's configuration has changed" in verdict(world, 1).sentence


def test_a_point_that_somebody_took_away_is_missing(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    stamp = world.points[1].stamp
    assert stamp is not None
    world.store.delete(TOPIC, [Deletion("1", stamp.position)])
    assert verdict(world, 1).kind is Kind.MISSING


def test_a_partial_change_is_completed_from_the_index(world: World) -> None:
    world.table.insert(1, body="long")
    catch_up(world)
    world.table.update(1, price=5, without=["body"])
    found = explained(world, 1)
    assert "completed from the index" in verdict(world, 1).sentence
    assert found.newest is not None
    assert found.newest.change is not None
    assert found.newest.change.unavailable == {"body"}
    catch_up(world)
    assert verdict(world, 1).kind is Kind.CURRENT


def test_a_partial_change_that_nobody_can_complete_names_column_and_ways_out(world: World) -> None:
    world.table.insert(1, body="long")
    catch_up(world)
    world.table.update(1, name="new", without=["body"])
    said = verdict(world, 1).sentence
    for part in (
        "UnavailableColumn",
        "body",
        "REPLICA IDENTITY FULL",
        "post processor",
        "reselect",
    ):
        assert part in said
    catch_up(world)
    assert verdict(world, 1).kind is Kind.DEAD_LETTERED


def test_a_partial_change_takes_what_waits_before_it(world: World) -> None:
    world.table.insert(1, body="long")
    world.table.update(1, name="new", without=["body"])
    found = explained(world, 1)
    assert found.text is not None
    assert found.text.text == "Name: new\nlong"
    assert found.rehearsed is not None
    assert found.rehearsed.course is Course.EMBED


def test_a_source_database_completes_what_the_index_cannot(make_world: Worlds) -> None:
    database = MemoryReselector()
    database.create("public", "products", ["id", "name", "body", "price"])
    database.insert("public", "products", {"id": 1, "name": "new", "body": "long", "price": 0})
    world = make_world(reselector=database)
    world.table.insert(1, body="long")
    catch_up(world)
    world.table.update(1, name="new", without=["body"])
    found = explained(world, 1)
    assert found.text is not None
    assert found.text.text == "Name: new\nlong"
    assert "completed from the source database, its text" in verdict(world, 1).sentence
    database.delete("public", "products", {"id": 1})
    assert "gone from the source database" in verdict(world, 1).sentence


def test_a_partial_change_after_a_dead_letter_says_why_the_index_is_no_help(world: World) -> None:
    world.table.insert(1, body="long")
    catch_up(world)
    world.table.update(1, name=POISON)
    catch_up(world)
    world.table.update(1, price=5, without=["body"])
    assert "an earlier change of the row is a dead letter" in verdict(world, 1).sentence


def test_a_truncated_table_makes_its_older_changes_stale(make_world: Worlds) -> None:
    world = make_world(empties=True)
    world.table.insert(1)
    catch_up(world)
    world.table.truncate()
    catch_up(world)
    found = verdict(world, 1)
    assert found.kind is Kind.STALE
    assert "its table was truncated after it" in found.sentence


def test_asking_for_marks_leaves_the_state_topic_alone(world: World) -> None:
    world.table.insert(1, body="long")
    world.table.update(1, price=5, without=["body"])
    catch_up(world)
    world.rewind()
    before = list(world.state.records)
    explained(world, 1)
    assert world.state.records == before


def test_an_index_of_another_model_would_stop_the_task(world: World) -> None:
    world.table.insert(1)
    catch_up(world)
    world.change_model("another")
    found = verdict(world, 1)
    assert found.kind is Kind.STOPPED
    assert "holds vectors of fake/fake/32" in found.sentence


def test_a_row_that_never_was_is_not_found(world: World) -> None:
    world.table.insert(1)
    found = verdict(world, 99)
    assert found.kind is Kind.NOT_FOUND
    assert "which has 1 records, and the index has no point of it" in found.sentence


def test_what_retention_took_away_is_gone_and_its_point_is_shown(world: World) -> None:
    world.table.insert(1)
    world.table.insert(3)
    catch_up(world)
    log = world.broker.log(TopicPartition(TOPIC, 1))
    assert log is not None
    log.truncate(1)
    found = verdict(world, 1)
    assert found.kind is Kind.GONE
    assert "its point as of offset 0 of partition 1" in found.sentence


def test_a_limit_is_honest_about_what_it_left_out(world: World) -> None:
    for row in range(50):
        world.table.insert(row)
    assert verdict(world, 49, limit=10).kind is Kind.NOT_YET
    found = verdict(world, 0, limit=10)
    assert found.kind is Kind.NOT_FOUND
    assert "in the last 10 records" in found.sentence


def test_the_history_shows_what_was_not_sent(world: World) -> None:
    world.table.insert(1)
    world.table.insert(3)
    world.table.update(1, price=5, without=["body"])
    world.table.garbage(1)
    steps = explained(world, 1).steps
    assert [step.record.offset for step in steps] == [0, 2, 3]
    assert [step.change.unavailable if step.change else None for step in steps] == [
        frozenset(), {"body"}, None,
    ]  # fmt: skip


def test_the_newest_record_wins_wherever_its_key_went(world: World) -> None:
    world.table.insert(1, name="old")
    value = {"op": "u", "after": {"id": 1, "name": "moved", "body": "b", "price": 0}, "source": {}}
    key = json.dumps({"id": 1}).encode()
    world.broker.produce(TOPIC, key, json.dumps(value).encode(), partition=0, timestamp_ms=2_000)
    found = explained(world, 1)
    assert found.newest is not None
    assert found.newest.record.partition == 0
    assert [step.record.partition for step in found.steps] == [1, 0]


def test_nothing_is_joined_committed_written_or_embedded(world: World) -> None:
    world.table.insert(1)
    explained(world, 1)
    assert world.committed == {}
    assert world.broker.group(GROUP)._members == []
    assert world.embedder.calls == 0
    assert world.store.calls["upsert"] == world.store.calls["delete"] == 0


def test_a_key_of_other_columns_is_a_mistake_that_names_them(world: World) -> None:
    world.table.insert(1)
    with pytest.raises(ConfigError, match="whose keys have the column id: write id=…"):
        explained(world, "sku=1")


def test_topics_have_to_be_chosen_and_to_exist(make_world: Worlds) -> None:
    world = make_world()
    explainer = explainer_of(world)
    with pytest.raises(ConfigError, match=f"no 'other', but {TOPIC}"):
        explainer.ground("other")
    world.broker.delete_topic(TOPIC)
    with pytest.raises(RetriableError, match="none of the topics exists"):
        explainer.ground(None)


def test_a_store_that_stays_away_ends_it_as_an_outage(world: World) -> None:
    world.table.insert(1)
    world.store.fail_next("fetch", *[RetriableError("away")] * 100)
    with pytest.raises(RetriableError, match="away"):
        explained(world, 1)


OUTCOMES = {
    Course.EMBED: Outcome.WRITTEN,
    Course.REUSE: Outcome.REUSED,
    Course.UNCHANGED: Outcome.UNCHANGED,
    Course.STALE: Outcome.STALE,
    Course.DELETE: Outcome.DELETED,
    Course.FILTER: Outcome.FILTERED,
    Course.FAIL: Outcome.DEAD_LETTERED,
}


@pytest.mark.parametrize("seed", range(60))
def test_what_is_foretold_is_what_the_worker_does(make_world: Worlds, seed: int) -> None:
    draw = random.Random(seed)
    world = make_world(when="name != 'd'", batch=BatchPolicy(max_rows=100, max_in_flight=1))
    change_at_random(world, draw)
    catch_up(world)
    if draw.random() < 0.3:
        world.rewind()
    else:
        change_at_random(world, draw)
    foretold = explained(world, 1).rehearsed
    assert foretold is not None
    before = world.outcomes
    catch_up(world)
    assert (world.outcomes - before)[OUTCOMES[foretold.course].value] >= 1


def change_at_random(world: World, draw: random.Random) -> None:
    """Some changes of row 1."""
    for _ in range(draw.randrange(1, 4)):
        name, price = draw.choice("abcd"), draw.randrange(2)
        if 1 not in world.table.rows:
            world.table.insert(1, name=name, price=price)
        elif draw.random() < 0.2:
            world.table.delete(1)
        else:
            without = ["body"] if draw.random() < 0.4 else []
            world.table.update(1, name=name, price=price, without=without)


def test_a_discarded_letter_says_why_nobody_needs_it(world: World) -> None:
    world.table.insert(1, body=POISON)
    catch_up(world)
    command = Command(world)
    (letter,) = command.letters
    command.book.settle(letter, LetterState.DISCARDED, "test data")
    found = verdict_as_it_stands(world, 1)
    assert found.kind is Kind.DEAD_LETTERED
    assert "(discarded: test data)" in found.sentence


def test_a_row_whose_letter_was_replayed_is_current(world: World) -> None:
    world.table.insert(1, body=POISON)
    world.member()
    world.settle()
    assert verdict_as_it_stands(world, 1).kind is Kind.DEAD_LETTERED
    world.heal()
    Command(world).replay()
    assert verdict_as_it_stands(world, 1).kind is Kind.CURRENT


def verdict_as_it_stands(world: World, key: int) -> Verdict:
    """By the letters that the world's own dead-letter topic has."""
    explainer = explainer_of(world)
    ground = explainer.ground(None)
    return verdict_of(explainer.explain(Wanted.parse(str(key)), ground, None, lambda records: None))
