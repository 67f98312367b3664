"""The order of events: start, snapshot, three stories, the rest of the day, the sums."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from worker.decode.decoder import DebeziumDecoder
from worker.demo import machine
from worker.demo.engine import Engine
from worker.demo.recording import load
from worker.demo.replay import Replay, changes_of
from worker.demo.shop import Shop
from worker.demo.show import Sums
from worker.demo.story import STORIES, THE_REST
from worker.errors import FatalError
from worker.model import Outcome
from worker.settings import decoder_settings

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from worker.demo.recording import Recording
    from worker.demo.shop import Event
    from worker.demo.show import Show
    from worker.demo.story import Story
    from worker.model import Record
    from worker.store.port import Match

_HITS = 4


class Demo:
    """One showing."""

    def __init__(
        self, show: Show, recording: Recording, replay: Replay, engine: Engine, shop: Shop
    ) -> None:
        self._show = show
        self._recording = recording
        self._replay = replay
        self._engine = engine
        self._shop = shop
        self._sent = 0

    def snapshot(self) -> None:
        """Wait for the worker, then let it embed all rows that were there."""
        rows = self._recording.snapshot
        self._send(rows)  # before the worker: a topic of this broker exists once it has records
        with self._show.waiting("loading the model (torch takes a few seconds)"):
            self._engine.wait_for(lambda: self._engine.is_loaded)
        with self._show.waiting("joining the consumer group (takes 3 s on a new broker)"):
            self._engine.wait_for(lambda: self._engine.has_joined)
        with self._show.progress(len(rows)) as advance:
            while (done := self._engine.counters.finished) < len(rows):
                advance(done)
                self._engine.wait_for(lambda seen=done: self._engine.counters.finished > seen)  # type: ignore[misc]
            advance(len(rows))

    def tell(self, story: Story) -> None:
        """Ask, change, ask again."""
        before = self._hits(story.question)
        self._show.story(story.title)
        self._show.before(story.question, before)
        for change in changes_of(self._recording.changes[story.records]):
            self._apply(change)
        self._show.after(story.question, before, self._hits(story.question))

    def rest(self) -> None:
        """Whatever else happened, in one go."""
        before, began_s = self._engine.counters, time.monotonic()
        records = self._recording.changes[THE_REST]
        self._send(records)
        self._settle()
        gained = self._engine.counters.outcomes - before.outcomes
        changes = sum(1 for _ in changes_of(records))
        self._show.rest(changes, gained, time.monotonic() - began_s)

    def sums(self, began_s: float) -> Sums:
        """End the worker, and compare the index with the database, the offsets with the records.

        Raises:
            FatalError: they differ.
        """
        topic = self._recording.topic
        points = self._engine.stored_ids(topic)
        if points != self._shop.rows.keys():
            raise FatalError("the index does not have the rows of the database")
        self._engine.finish()
        committed = self._replay.committed("connect-products", topic, self._recording.partitions)
        if committed != self._sent:
            raise FatalError(f"{committed} of {self._sent} offsets were committed")
        counters = self._engine.counters
        return Sums(
            rows=len(self._recording.snapshot),
            changes=sum(1 for _ in changes_of(self._recording.changes)),
            texts=counters.bill.texts,
            reused=counters.outcomes[Outcome.REUSED],
            committed=committed,
            points=len(points),
            seconds=time.monotonic() - began_s,
        )

    def _apply(self, change: Sequence[Record]) -> None:
        before, began_s = self._engine.counters.outcomes, time.monotonic()
        event, *_ = self._send(change)
        self._settle()
        gained = self._engine.counters.outcomes - before
        self._show.change(event, gained, time.monotonic() - began_s)

    def _send(self, records: Sequence[Record]) -> list[Event]:
        """Change the database's copy in the shop, and write the records to the broker."""
        events = [self._shop.take(record) for record in records]
        self._replay.send(records)
        self._sent += len(records)
        return events

    def _settle(self) -> None:
        self._engine.wait_for(lambda: self._engine.counters.finished >= self._sent)

    def _hits(self, question: str) -> Sequence[Match]:
        return self._engine.search(self._recording.topic, question, _HITS)


def run(show: Show, stop: threading.Event) -> None:
    """Show everything once; leaves nothing behind, however it ends.

    Raises:
        Stopped: ``stop`` was set.
        WorkerError: something failed, such as a library that is not installed.
    """
    began_s = time.monotonic()
    recording = load()
    show.title()
    with ExitStack() as stack:
        servers = stack.enter_context(machine.servers(recording.schemas))
        connector = machine.connector_of(servers, recording.topic)
        assembly = machine.assembly_of(servers, connector)
        machine.create_index(servers)
        show.started(servers, connector)
        decoder = DebeziumDecoder(decoder_settings(assembly.config, None))
        stack.enter_context(closing(decoder))
        replay = Replay(servers.brokers)
        engine = Engine(assembly, stop)
        demo = Demo(show, recording, replay, engine, Shop(decoder))
        with engine:
            demo.snapshot()
            for story in STORIES:
                demo.tell(story)
            demo.rest()
            show.sums(demo.sums(began_s))
