"""The parts of a task put together by hand, small enough to look inside."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.embedding import embedding_of
from worker.clock import FakeClock, SystemClock
from worker.dlq.memory import MemoryDeadLetterQueue
from worker.document.builder import DocumentBuilder
from worker.document.spec import parse_spec
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.flow.backlog import Backlog
from worker.flow.batching import BufferLimits
from worker.flow.entry import Entry, Work
from worker.flow.ledger import Ledger, PartitionLedger
from worker.marks.dead_rows import DeadRows
from worker.marks.port import NoWatermarks
from worker.model import Change, Key, Op, Origin, Record, TopicPartition
from worker.pipeline.batch import BatchRunner
from worker.pipeline.flight import Flight
from worker.pipeline.landing import Landing
from worker.pipeline.lease import Lease
from worker.pipeline.looks import Looks
from worker.pipeline.marking import Marking
from worker.pipeline.model_guard import ModelGuard
from worker.pipeline.net import TOLERATED, Net
from worker.pipeline.patience import Patience
from worker.pipeline.rejects import Rejects
from worker.pipeline.replays import NoReplays
from worker.state.memory import MemoryStateTopic
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour
from worker.store.port import Capabilities
from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.model import Value
    from worker.pipeline.known import Address
    from worker.throttle.rates import Rates

TOPIC = "shop.public.products"
SESSION_S = 10.0
SETTLE_S = 10.0


class HookClock(FakeClock):
    """Lets something happen while somebody waits."""

    meanwhile: Callable[[], None] | None = None

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        if self.meanwhile is not None:
            self.meanwhile()
        return super().wait(event, timeout_s)


def ledger(partition: int = 0) -> PartitionLedger:
    return PartitionLedger(TopicPartition(TOPIC, partition))


def entry(
    ours: PartitionLedger,
    offset: int,
    op: Op = Op.UPDATE,
    *,
    row: int = 1,
    committed_ms: int | None = None,
    timestamp_ms: int | None = None,
    **columns: Value,
) -> Entry:
    """A change of a row, received by its ledger."""
    partition = ours.partition.partition
    record = Record(TOPIC, partition, offset, b"k", b"v", topic_id="id", timestamp_ms=timestamp_ms)
    ours.receive(offset)
    origin = Origin(table="products", committed_ms=committed_ms)
    after = {} if op.removes else {"name": "n", **columns}
    return Entry(Change(record, Key(TOPIC, (("id", row),)), op, after, origin), ours, 0.0)


@dataclass
class Engine:
    """Everything between the backlog and the index."""

    guarded: bool = False
    refuse: str = "poison"
    model: str = "fake"
    clock: HookClock = field(default_factory=HookClock)
    now_ms: float = 0.0
    rates: Rates | None = None

    def __post_init__(self) -> None:
        self.abort = threading.Event()
        behaviour = MemoryBehaviour(guarded=self.guarded)
        self.store = MemoryStore(MemoryConfig(), behaviour=behaviour, clock=self.clock)
        config = FakeConfig(model=self.model, dimensions=32, refuse=self.refuse)
        self.embedder = FakeEmbedder(config)
        self.lease = Lease(self.clock, SESSION_S)
        self.marks = DeadRows(MemoryStateTopic())
        self.use(self.store)
        self.letters = MemoryDeadLetterQueue()
        self.counters = Counters()
        self.backlog = Backlog()
        patience = Patience(abort=self.abort, clock=self.clock)
        self.marking = Marking(self.marks, patience)
        self.rejects = Rejects(self.letters, self.counters, self.marking, Net(TOLERATED))
        self.held = Ledger()
        self.forgotten: list[Address] = []
        self.flight = Flight(
            self.runner.run, pool=ThreadPoolExecutor(2, "batch"), clock=SystemClock()
        )
        self.looks = Looks(
            ledger=self.held,
            backlog=self.backlog,
            rejects=self.rejects,
            counters=self.counters,
            clock=self.clock,
            limits=BufferLimits(),
            flight=self.flight,
            forget=self._forget,
            store=Capabilities(guarded=False, settle_s=SETTLE_S, write_timeout_s=30.0),
        )
        self.landing = Landing(
            flight=self.flight,
            backlog=self.backlog,
            rejects=self.rejects,
            looks=self.looks,
            replays=NoReplays(),
            counters=self.counters,
            now_ms=lambda: self.now_ms,
        )

    def _forget(self, ledger: PartitionLedger, address: Address) -> None:
        self.forgotten.append(address)
        self.runner.forget(ledger, address)

    def use(self, store: MemoryStore) -> None:
        """Write to this store."""
        self.store = store
        spec = parse_spec(fields="name", metadata="price")
        self.runner = BatchRunner.of(
            documents=DocumentBuilder(spec, self.embedder.model),
            embedding=embedding_of(self.embedder, self.clock, rates=self.rates),
            store=store,
            guard=ModelGuard(store, self.embedder.model),
            lease=self.lease,
            patience=Patience(abort=self.abort, cut_off=self.abort, clock=self.clock),
            clock=self.clock,
            cached_rows=100_000,
            watermarks=NoWatermarks(),
            marks=self.marks,
        )

    def take(self) -> list[Work]:
        return self.backlog.take(100, 1 << 30)

    def work(self, *entries: Entry) -> Work:
        """The work that these entries of one key make; the backlog forgets it at once."""
        for one in entries:
            self.backlog.add(one)
        (work,) = self.take()
        self.backlog.finish(work)
        return work

    def settle(self) -> None:
        """Fly whatever waits until nothing does."""
        while batch := self.take():
            self.flight.launch(batch)
            while self.flight.in_flight:
                self.landing.take_back(1.0)
        self.rejects.settle()
        while self.marking._keeping.under_way:
            self.rejects.settle()

    def offset_in_index(self) -> int | None:
        """The offset that the only row is as of; None if it is not there."""
        points = list(self.store.points(TOPIC).values())
        if not points:
            return None
        assert points[0].stamp is not None
        return points[0].stamp.position.offset
