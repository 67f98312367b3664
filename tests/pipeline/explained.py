"""An explainer over a world: what ``worker.explaining`` puts together, on fakes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.embedding import embedding_of
from tests.pipeline.world import GROUP, MAX_REPLAYS, json_decoder
from worker.clock import FakeClock
from worker.dlq.reading import letter_of
from worker.estimate.meter import meter_of
from worker.estimate.stored import Waiting
from worker.explain.explainer import Explainer
from worker.explain.letters import Letters
from worker.explain.reading import Reading
from worker.explain.rehearsal import Rehearsal
from worker.explain.verdict import verdict_of
from worker.explain.wanted import Wanted
from worker.letters import standing
from worker.letters.book import LetterBook
from worker.letters.case import Filing
from worker.marks import dead_rows, truncation
from worker.marks.dead_rows import DeadRows
from worker.marks.watermarks import TableWatermarks
from worker.model import Record
from worker.pipeline.batch import BatchRunner
from worker.pipeline.lease import Lease
from worker.pipeline.model_guard import ModelGuard
from worker.pipeline.patience import Patience
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription
from worker.state.copy import copy_of
from worker.state.topic import PARTITION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.world import World
    from worker.explain.explanation import Explanation
    from worker.explain.verdict import Verdict

DEAD_LETTERS = "products-dlq"


def explainer_of(world: World) -> Explainer:
    patience = Patience(abort=threading.Event(), clock=FakeClock(), timeout_s=5.0)
    waiting, clock = Waiting(patience), FakeClock()
    state = copy_of(state_records(world), (dead_rows.PREFIX, truncation.PREFIX, standing.PREFIX))
    runner = BatchRunner.of(
        documents=world.documents,
        embedding=embedding_of(world.embedder, clock),
        store=world.store,
        guard=ModelGuard(world.store, world.embedder.model),
        lease=Lease(clock, 10.0),
        patience=patience,
        clock=clock,
        cached_rows=1,
        reselector=world.reselector,
        watermarks=TableWatermarks(state),
        marks=DeadRows(state),
    )
    reading = Reading(json_decoder(world.documents.columns), waiting)
    filing = Filing(letter_of, LetterBook(state).standings, MAX_REPLAYS)
    letters = Letters(reader_of(world, DEAD_LETTERS), reading, filing)
    return Explainer(
        connector="products",
        dead_letter_topic=DEAD_LETTERS if world.tolerant else None,
        reader=reader_of(world, world.table.topic),
        letters=letters if world.tolerant else None,
        reading=reading,
        whole_rows=Reading(json_decoder(None), waiting),
        documents=world.documents,
        when=world._spec.when,
        rehearsal=Rehearsal(runner, clock),
        store=world.store,
        parking=runner.lookup.parking,
        meter=meter_of(world.embedder),
        waiting=waiting,
    )


def reader_of(world: World, topic: str) -> MemorySpanReader:
    return MemorySpanReader(world.broker, GROUP, Subscription((topic,)))


def state_records(world: World) -> Iterator[Record]:
    """The state topic as Kafka holds it."""
    for offset, key, value in world.state.records:
        yield Record("connect-products-state", PARTITION, offset, key.encode(), value)


def explained(world: World, key: str | int, limit: int | None = None) -> Explanation:
    """Explain a row, with the dead letters so far in a topic."""
    send_letters(world)
    explainer = explainer_of(world)
    ground = explainer.ground(None)
    return explainer.explain(Wanted.parse(str(key)), ground, limit, lambda records: None)


def verdict(world: World, key: str | int, limit: int | None = None) -> Verdict:
    return verdict_of(explained(world, key, limit))


def send_letters(world: World) -> None:
    if world.broker.topic_id(DEAD_LETTERS):
        world.broker.delete_topic(DEAD_LETTERS)
    for member in world.everybody:
        for dead in member.letters.records:
            world.broker.produce(
                DEAD_LETTERS,
                dead.key,
                dead.value,
                headers=dead.headers,
                timestamp_ms=dead.timestamp_ms,
            )


def catch_up(world: World) -> None:
    """Let a worker do everything there is, and leave."""
    member = world.member()
    world.settle()
    world.stop(member)
