"""An estimate against what the run that follows pays."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import GROUP, POISON, json_decoder
from worker.clock import FakeClock
from worker.errors import FatalError, RetriableError
from worker.estimate.forecast import Pace, Purse, forecast
from worker.estimate.found import Surveyor
from worker.estimate.intake import Intake
from worker.estimate.meter import meter_of
from worker.estimate.stored import StoredPoints, Waiting
from worker.estimate.survey import Survey
from worker.estimate.tally import Ending, Tally
from worker.flow.batching import BufferLimits
from worker.pipeline.cutting import Measure
from worker.pipeline.model_guard import ModelGuard
from worker.pipeline.patience import Patience
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription

if TYPE_CHECKING:
    from tests.pipeline.conftest import Worlds
    from tests.pipeline.world import World
    from worker.estimate.forecast import Range
    from worker.estimate.found import Found


def found_in(world: World, sample: int | None = None) -> Found:
    limits = world.embedder.limits
    patience = Patience(abort=threading.Event(), clock=FakeClock(), timeout_s=5.0)
    waiting, tally = Waiting(patience), Tally()
    guard = ModelGuard(world.store, world.embedder.model, world.form)
    dimensions = world.embedder.model.dimensions
    stored = StoredPoints(world.store, guard, waiting, dimensions=dimensions, in_flight=2)
    decoder = json_decoder(world.documents.columns)
    intake = Intake(decoder, waiting, tally, world.settings.batch, world.settings.buffer)
    measure = Measure.of(limits, None, None)
    survey = Survey(world.documents, stored, meter_of(world.embedder), measure, tally)
    reader = MemorySpanReader(world.broker, GROUP, Subscription((world.table.topic,)))
    surveyor = Surveyor(reader, intake, survey, tally)
    try:
        chosen = surveyor.plan(sample)
        assert chosen is not None
        return surveyor.find(chosen, lambda records: None)
    finally:
        stored.close()


def texts_of(world: World, sample: int | None = None) -> Range:
    found = found_in(world, sample)
    pace = Pace(world.embedder.terms.rates, world.embedder.limits, 0.5)
    return forecast(found, pace, Purse(None)).texts


def catch_up(world: World) -> int:
    """Let a worker do everything; how many texts that took."""
    before = world.embedder.texts
    member = world.member()
    world.settle()
    world.stop(member)
    return world.embedder.texts - before


def change_at_random(world: World, changes: int, draw: random.Random) -> None:
    for _ in range(changes):
        row = draw.randrange(12)
        name = draw.choice("abcd")
        if row not in world.table.rows:
            world.table.insert(row, name=name)
        elif draw.random() < 0.2:
            world.table.delete(row)
        else:
            world.table.update(row, name=name, price=draw.randrange(3))


@pytest.mark.parametrize("seed", range(12))
def test_what_a_run_pays_lies_in_the_range_of_any_history(make_world: Worlds, seed: int) -> None:
    draw = random.Random(seed)
    buffer = BufferLimits(max_rows=draw.choice((4, 16, 1000)))
    world = make_world(when="name != 'd'", buffer=buffer)
    change_at_random(world, draw.randrange(60), draw)
    catch_up(world)
    change_at_random(world, draw.randrange(60), draw)
    estimated = texts_of(world)
    assert estimated.low <= estimated.expected <= estimated.high
    assert estimated.low <= catch_up(world) <= estimated.high


def test_a_snapshot_pays_exactly_for_what_the_index_lacks(make_world: Worlds) -> None:
    world = make_world()
    for row in range(100):
        world.table.insert(row, name=f"n {row}")
    catch_up(world)
    for row in range(300):
        if row < 100:
            world.table.read_again(row)
        else:
            world.table.insert(row, name=f"n {row}")
    estimated = texts_of(world)
    assert (estimated.low, estimated.expected, estimated.high) == (200, 200, 200)
    assert catch_up(world) == 200


def test_nothing_is_joined_committed_written_or_embedded(make_world: Worlds) -> None:
    world = make_world()
    world.table.insert(1)
    found_in(world)
    assert world.committed == {}
    assert world.broker.group(GROUP)._members == []
    assert world.embedder.calls == 0
    assert world.store.calls["upsert"] == world.store.calls["delete"] == 0


def test_after_a_rewind_the_index_is_ahead_and_nothing_has_to_be_paid(make_world: Worlds) -> None:
    world = make_world()
    world.table.insert(1, name="a")
    world.table.update(1, name="b")
    catch_up(world)
    world.table.update(1, name="c")
    catch_up(world)
    world.rewind()
    found = found_in(world)
    assert found.tally.endings[Ending.EMBED] == 0
    assert catch_up(world) == 0


def test_every_record_has_one_ending(make_world: Worlds) -> None:
    world = make_world(when="name != 'hidden'")
    world.table.insert(1)
    world.table.update(1, name="new")
    world.table.insert(2, name="hidden")
    world.table.garbage(3)
    world.table.insert(5, body=POISON)
    world.table.delete(5)
    endings = found_in(world).tally.endings
    assert endings == {
        Ending.EMBED: 1,
        Ending.SUPERSEDED: 3,
        Ending.FILTERED: 1,
        Ending.FAILED: 1,
        Ending.DELETED: 1,
    }


def test_a_sample_is_scaled_up_and_its_range_covers_the_truth(make_world: Worlds) -> None:
    world = make_world(partitions=4)
    for row in range(2000):
        world.table.insert(row, name=f"n {row}", body="b" * (row % 7))
    estimated = texts_of(world, sample=200)
    assert estimated.low <= 2000 <= estimated.high
    assert estimated.expected == pytest.approx(2000, rel=0.01)


def test_an_index_of_another_model_is_refused_as_the_run_would(make_world: Worlds) -> None:
    world = make_world()
    world.table.insert(1)
    catch_up(world)
    world.table.update(1, name="new")
    world.change_model("another")
    with pytest.raises(FatalError, match="holds vectors of fake/fake/32"):
        found_in(world)


def test_a_store_that_stays_away_ends_it_as_an_outage(make_world: Worlds) -> None:
    world = make_world()
    world.table.insert(1)
    world.store.fail_next("namespaces", *[RetriableError("away")] * 100)
    with pytest.raises(RetriableError, match="away"):
        found_in(world)
