"""Rows in chunks on a store that may break after any point, and workers that begin anew."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from tests.embedding import embedding_of
from tests.unit.pipeline.engine import SESSION_S, TOPIC
from worker.clock import FakeClock
from worker.document.builder import DocumentBuilder
from worker.document.chunking import Chunking
from worker.document.spec import parse_spec
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose
from worker.flow.backlog import Backlog
from worker.flow.entry import Entry, Work
from worker.flow.ledger import PartitionLedger
from worker.marks.dead_rows import DeadRows
from worker.marks.port import NoWatermarks
from worker.model import Change, Key, Op, Origin, Record, TopicPartition
from worker.pipeline.batch import BatchRunner
from worker.pipeline.lease import Lease
from worker.pipeline.model_guard import Form, ModelGuard
from worker.pipeline.patience import Patience
from worker.state.memory import MemoryStateTopic
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.errors import RecordError
    from worker.model import Point
    from worker.pipeline.embedding import Embedding
    from worker.pipeline.item import Item, Report
    from worker.spend.port import Purse
    from worker.store.port import Deletion

TOKENS = 10
CHUNKING = Chunking(TOKENS)
POISON = "poison"


class Killed(BaseException):
    """The process has ended."""


def story(words: Sequence[str]) -> str:
    """A text of one chunk per word, or letter."""
    return "\n\n".join(f"The chapter about {word} is here." for word in words)


class BreakingStore(MemoryStore):
    """Writes point by point, and only so many."""

    left: int | None = None
    breaks_with: BaseException = Killed()

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        refused: dict[str, RecordError] = {}
        for point in points:
            self._spend()
            refused.update(super().upsert(namespace, [point]))
        return refused

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        refused: dict[str, RecordError] = {}
        for deletion in deletions:
            self._spend()
            refused.update(super().delete(namespace, [deletion]))
        return refused

    def _spend(self) -> None:
        if self.left is None:
            return
        if self.left == 0:
            raise self.breaks_with
        self.left -= 1


class Shop:
    """A table of texts, its index, and one worker at a time."""

    def __init__(
        self,
        *,
        guarded: bool = True,
        settle_s: float = 0.0,
        embedding: Embedding | None = None,
        purse: Purse | None = None,
    ) -> None:
        self.clock = FakeClock()
        behaviour = MemoryBehaviour(guarded=guarded, settle_s=settle_s)
        self.store = BreakingStore(MemoryConfig(), behaviour=behaviour, clock=self.clock)
        self.embedder = FakeEmbedder(FakeConfig(dimensions=8, refuse=POISON))
        self.embedding = embedding or embedding_of(self.embedder, self.clock, purse=purse)
        spec = parse_spec(fields="name", metadata="price", keeps_text=True)
        self.documents = DocumentBuilder(spec, self.embedder.model, chunking=CHUNKING)
        self.offset = 0
        self.start()

    def start(self) -> None:
        """A worker that knows nothing, in place of the one before."""
        self.abort = threading.Event()
        self.ledger = PartitionLedger(TopicPartition(TOPIC, 0))
        self.runner = BatchRunner.of(
            documents=self.documents,
            embedding=self.embedding,
            store=self.store,
            guard=ModelGuard(self.store, self.embedder.model, Form.CHUNKS),
            lease=Lease(self.clock, SESSION_S * 1000),
            patience=Patience(abort=self.abort, cut_off=self.abort, clock=self.clock),
            clock=self.clock,
            cached_rows=1000,
            watermarks=NoWatermarks(),
            marks=DeadRows(MemoryStateTopic()),
        )

    def change(self, text: str | None, *, row: int = 1, price: int = 1) -> Change:
        """The row's next change; None deletes it."""
        self.offset += 1
        record = Record(TOPIC, 0, self.offset, b"k", b"v", topic_id="id")
        after = {} if text is None else {"id": row, "name": text, "price": price}
        op = Op.DELETE if text is None else Op.UPDATE
        origin = Origin(table="products", committed_ms=self.offset, position=self.offset)
        return Change(record, Key(TOPIC, (("id", row),)), op, after, origin)

    def run(self, *changes: Change) -> Report:
        """One batch of what is coalesced by key; what has to wait comes again in time."""
        backlog = Backlog()
        for change in changes:
            backlog.add(Entry(change, self.ledger, self.clock.now_s()))
        works = backlog.take(1000, 1 << 40)
        report = self.runner.run(works)
        while waiting := [item for item in report.items if item.look_again_s is not None]:
            until_s = min(item.look_again_s or 0.0 for item in waiting)
            self.clock.advance(until_s - self.clock.now_s())
            works = [
                Work(item.work.change, item.work.entries, item.work.began_at) for item in waiting
            ]
            report = self.runner.run(works)
        return report

    def write(self, text: str | None, *, row: int = 1, price: int = 1) -> Item:
        """Bring one change into the index."""
        (item,) = self.run(self.change(text, row=row, price=price)).items
        return item

    @property
    def texts(self) -> dict[str, str]:
        """Text by id, as written."""
        return {
            point_id: str(point.metadata["text"])
            for point_id, point in sorted(self.store.points(TOPIC).items())
        }

    def assert_holds(self, words: Sequence[str] | None, *, row: int = 1, price: int = 1) -> None:
        """Exactly the chunks of this text, complete, each with its own vector."""
        points = {
            name: point
            for name, point in self.store.points(TOPIC).items()
            if name.partition("#")[0] == str(row)
        }
        texts = CHUNKING.split(story(words)) if words else ()
        assert points.keys() == {f"{row}#{number}" for number in range(len(texts))}
        for number, text in enumerate(texts):
            point = points[f"{row}#{number}"]
            assert point.metadata["text"] == text
            assert point.metadata["price"] == price
            vector = self.embedder.embed([text], Purpose.DOCUMENT).vectors[0]
            assert np.array_equal(point.vector, vector)
        if texts:
            stamp = points[f"{row}#0"].stamp
            assert stamp is not None
            assert not stamp.is_unfinished
            assert stamp.chunks == len(texts)
            positions = {point.stamp and point.stamp.position for point in points.values()}
            assert positions == {stamp.position}
