"""The whole engine on fakes: a broker, a table, a store, and workers that come and go."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tests.embedding import embedding_of
from tests.pipeline.gate import (
    Gate,
    GatedEmbedder,
    GatedRunner,
    GatedSpans,
    GatedStore,
    SteppingClock,
)
from tests.pipeline.letterbox import DEAD, LetterBox
from tests.pipeline.table import TOPIC, Table, text_of
from worker.clock import SystemClock
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.dlq import reading
from worker.dlq.headers import CONNECT, OURS
from worker.document.builder import DocumentBuilder
from worker.document.spec import parse_spec
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose
from worker.errors import FatalError
from worker.flow.batching import BatchPolicy, BufferLimits
from worker.letters.book import LetterBook
from worker.marks.dead_rows import DeadRows
from worker.marks.port import NoWatermarks
from worker.marks.watermarks import TableWatermarks
from worker.pipeline.batch import BatchRunner
from worker.pipeline.emptying import CarriedOutTruncates
from worker.pipeline.fence import Fence
from worker.pipeline.heads import Heads
from worker.pipeline.inquiry import Readers, ReplayPorts
from worker.pipeline.later import LaterRecords
from worker.pipeline.lease import Lease
from worker.pipeline.model_guard import Form, ModelGuard
from worker.pipeline.net import TOLERATED, Tolerated
from worker.pipeline.patience import Patience
from worker.pipeline.settings import Ports, TaskSettings
from worker.pipeline.sweep import Sweeper
from worker.pipeline.task import Task
from worker.pipeline.truncates import IgnoredTruncates
from worker.source.memory import MemorySource
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription
from worker.state.memory import MemoryLog, MemoryStateTopic
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour
from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.clock import Clock
    from worker.decode.port import Decoder
    from worker.document.chunking import Chunking
    from worker.marks.port import Watermarks
    from worker.model import Point, TopicPartition
    from worker.pipeline.goal import Goal
    from worker.pipeline.truncates import Truncates
    from worker.reselect.port import Reselector
    from worker.source.port import AssignmentListener, Commit, Polled, Standing
    from worker.spend.port import Purse

GROUP = "connect-products"
SESSION_S = 10.0
MAX_REPLAYS = 2
POISON = "poison"
"""Texts that contain it are refused by the embedder."""
_PATIENCE_S = 60.0
_JSON = PartSettings(format=Format.JSON, schemas_enable=False)


class CountingSource(MemorySource):
    """Counts its polls, and tells what is paused; may be fenced."""

    polls = 0
    pauses = 0
    """Partitions that were paused so far."""
    is_fenced = False
    commits_are_lost = False

    def commit(self, commits: Mapping[TopicPartition, Commit]) -> None:
        if not self.commits_are_lost:
            super().commit(commits)

    def commit_now(self, commits: Mapping[TopicPartition, Commit], timeout_s: float) -> bool:
        if self.is_fenced:
            raise FatalError("another worker has this worker.id")
        return super().commit_now(commits, timeout_s)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self.pauses += len(partitions)
        super().pause(partitions)

    def poll(self, max_records: int, timeout_s: float) -> Polled:
        self.polls += 1
        return super().poll(max_records, timeout_s)

    @property
    def paused(self) -> set[TopicPartition]:
        return {place for place, reading in self._readings.items() if reading.is_paused}

    @property
    def held(self) -> set[TopicPartition]:
        return set(self._readings)


class Member:
    """One worker with one task; driven by steps, or by a thread of its own."""

    def __init__(self, world: World, number: int, decoder: Decoder | None) -> None:
        self.abort = threading.Event()
        self.stop = threading.Event()
        self.counters = Counters()
        self.error: BaseException | None = None
        self.letters = LetterBox(world.broker)
        clock = world.clock
        subscription = Subscription((world.table.topic,))
        self.source = CountingSource(world.broker, world.group, subscription, clock)
        patience = self.patience = Patience(abort=self.abort, clock=clock, max_delay_s=2.0)
        lease = Lease(clock, world.session_s)
        self.state = MemoryStateTopic(world.state)
        self.marks = DeadRows(self.state)
        self.book = LetterBook(self.state)
        fence = Fence(world.gated_store, clock)
        truncates: Truncates = IgnoredTruncates(self.counters)
        watermarks: Watermarks = NoWatermarks()
        if world.empties:
            watermarks = tables = TableWatermarks(self.state)
            sweeper = Sweeper(world.documents, fence, tables, lease, patience)
            truncates = CarriedOutTruncates(tables, sweeper, patience, self.counters)
        group = world.group

        def origins() -> MemorySpanReader:
            return MemorySpanReader(world.broker, group, subscription)

        heads = Heads(origins, patience, clock)
        runner = BatchRunner.of(
            documents=world.documents,
            embedding=embedding_of(world.gated_embedder, clock, purse=world.purse),
            store=fence,
            guard=ModelGuard(world.store, world.gated_embedder.model, world.form),
            lease=lease,
            patience=patience,
            clock=clock,
            cached_rows=1000,
            watermarks=watermarks,
            marks=self.marks,
            reselector=world.reselector,
            later=LaterRecords(
                origins, lambda: decoder or json_decoder(world.documents.columns), patience
            ),
            heads=heads,
        )
        gated = cast("BatchRunner", GatedRunner(runner, world.gate, number))
        self.task = Task(
            ports=Ports(
                self.source,
                decoder or json_decoder(world.documents.columns),
                gated,
                self.letters if world.tolerant else None,
                truncates,
                self.marks,
                world.replay_ports(self.book),
                heads,
            ),
            settings=world.settings,
            lease=lease,
            patience=patience,
            clock=clock,
            counters=self.counters,
            abort=self.abort,
        )

    def join(self, listener: AssignmentListener | None = None) -> Member:
        """Become a member; partitions come at the next steps. The listener defaults to the task."""
        self.source.start(listener or self.task)
        return self

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            self.task.step()

    def leave(self) -> None:
        """End in order, as ``Task.run`` does."""
        self.give_up()
        self.source.close()
        self.close()

    def give_up(self) -> None:
        """Wait for nothing any more."""
        self.patience.cut_off()

    def close(self) -> None:
        """Let the pool's threads end."""
        self.task._replays.close()
        self.task._flight.close()
        self.task._schemas.close()
        self.task._succession.close()
        self.task._truncates.close()
        self.task._rejects.close(0.0)

    def run(self, goal: Goal | None = None) -> threading.Thread:
        """Run in a thread until ``stop`` or the goal."""
        thread = threading.Thread(target=self._run, args=(goal,), daemon=True)
        thread.start()
        return thread

    def _run(self, goal: Goal | None) -> None:
        try:
            self.task.run(self.stop, goal)
        except BaseException as error:  # noqa: BLE001 - for the test to look at
            self.error = error


class World:
    """See the module. ``guarded`` is whether the store refuses old writes by itself."""

    def __init__(
        self,
        *,
        guarded: bool = True,
        partitions: int = 2,
        batch: BatchPolicy | None = None,
        buffer: BufferLimits | None = None,
        drain_timeout_s: float = 8.0,
        end_timeout_s: float | None = None,
        session_s: float = SESSION_S,
        when: str | None = None,
        tolerant: bool = True,
        clock: Clock | None = None,
        purse: Purse | None = None,
        reselector: Reselector | None = None,
        chunking: Chunking | None = None,
        empties: bool = False,
        settle_s: float = 0.0,
        shows_s: float | None = None,
        numbers_writes: bool = False,
        transactional: bool = False,
        write_timeout_s: float = 0.0,
        tolerated: Tolerated = TOLERATED,
    ) -> None:
        self.clock = clock or SteppingClock()
        self.session_s = session_s
        self.chunking = chunking
        self.purse = purse
        self.reselector = reselector
        self.gate = Gate()
        self.group = GROUP
        self.broker = MemoryBroker()
        self.table = Table(self.broker, partitions)
        self.broker.create_topic(DEAD, 2)
        self.state = MemoryLog()
        self.empties = empties
        behaviour = MemoryBehaviour(
            guarded=guarded,
            settle_s=settle_s,
            shows_s=shows_s,
            numbers_writes=numbers_writes,
            transactional=transactional,
            write_timeout_s=write_timeout_s,
        )
        self.store = MemoryStore(MemoryConfig(), behaviour=behaviour, clock=self.clock)
        self.gated_store = GatedStore(self.store, self.gate)
        self._spec = parse_spec(
            fields="Name: name, body",
            metadata="name, body, price",
            when=when,
            keeps_text=chunking is not None,
        )
        self.change_model("fake")
        self.settings = TaskSettings(
            batch or BatchPolicy(max_rows=4, max_in_flight=3),
            buffer or BufferLimits(),
            drain_timeout_s=drain_timeout_s,
            end_timeout_s=drain_timeout_s if end_timeout_s is None else end_timeout_s,
            store=self.store.capabilities,
            tolerated=tolerated,
        )
        self.tolerant = tolerant
        self.members: list[Member] = []
        self.everybody: list[Member] = []
        """Those that left or crashed as well."""

    def change_model(self, name: str) -> None:
        """Embed with this model from the next member on."""
        self.embedder = FakeEmbedder(FakeConfig(model=name, dimensions=32, refuse=POISON))
        self.gated_embedder = GatedEmbedder(self.embedder, self.gate)
        self.documents = DocumentBuilder(self._spec, self.embedder.model, chunking=self.chunking)

    def heal(self) -> None:
        """The model takes all texts from now on."""
        self.gated_embedder.takes_all = True

    def member(self, decoder: Decoder | None = None) -> Member:
        """A worker that has joined and is stepped by ``until``."""
        made = self.newcomer(decoder).join()
        self.members.append(made)
        return made

    def newcomer(self, decoder: Decoder | None = None) -> Member:
        """A worker that has not joined yet."""
        made = Member(self, len(self.everybody), decoder)
        self.everybody.append(made)
        return made

    def until(self, reached: Callable[[], object]) -> None:
        """Step everybody in turn until the condition holds."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while not reached():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not reached; committed {self.committed}")
            for one in list(self.members):
                one.step()

    def wait_for(self, reached: Callable[[], object]) -> None:
        """The same for what other threads do; nobody steps."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while not reached():
            assert time.monotonic() < deadline_s, "not reached"
            time.sleep(0.001)

    def settle(self) -> None:
        """Until everything written to the topic is committed."""
        self.until(lambda: self.is_settled)

    @property
    def is_settled(self) -> bool:
        committed = self.committed
        return all(committed.get(place, 0) == self.end(place) for place in self.table.places)

    @property
    def standings(self) -> set[Standing]:
        """Of all that is committed."""
        return {commit.standing for commit in self.commits}

    @property
    def commits(self) -> Collection[Commit]:
        """Of all partitions."""
        return self.broker.commits(self.group).values()

    @property
    def committed(self) -> dict[TopicPartition, int]:
        return dict(self.broker.committed(self.group))

    def end(self, place: TopicPartition) -> int:
        log = self.broker.log(place)
        assert log is not None
        return log.end

    def stop(self, member: Member) -> None:
        """Leave in order."""
        self.members.remove(member)
        member.leave()

    def crash(self, member: Member) -> None:
        """The process is gone, and its session ends."""
        self.members.remove(member)
        member.source.expire()
        self.broker.tell()
        member.state.crash()
        member.close()

    def rewind(self) -> None:
        """Set the group back to the beginning; nobody may be a member."""
        self.broker.group(self.group).committed.clear()

    def found_group(self) -> None:
        """Read all topics anew under another name, from the next member on."""
        self.group += "-anew"

    def close(self) -> None:
        """Let all threads end."""
        self.gate.open()
        for one in self.everybody:
            one.give_up()
            one.stop.set()
            one.close()

    def replay_ports(self, book: LetterBook) -> ReplayPorts:
        """What a member replays with."""

        def readers() -> Readers:
            letters, origins = (
                GatedSpans(
                    MemorySpanReader(self.broker, self.group, Subscription((topic,))),
                    self.gate,
                    method,
                )
                for topic, method in ((DEAD, "letters"), (self.table.topic, "tail"))
            )
            return Readers(letters, origins, json_decoder(self.documents.columns))

        return ReplayPorts(book, DEAD, reading, readers, self.table.partition_of, MAX_REPLAYS)

    @property
    def form(self) -> Form:
        """Of the points."""
        return Form.WHOLE if self.chunking is None else Form.CHUNKS

    # What there is to see ------------------------------------------------------------------

    @property
    def points(self) -> dict[int, Point]:
        return {int(point_id): point for point_id, point in self.store.points(TOPIC).items()}

    @property
    def index(self) -> dict[int, dict[str, Any]]:
        """The index as rows."""
        return {row_id: row_of(point) for row_id, point in self.points.items()}

    @property
    def dead(self) -> list[tuple[int, int, str]]:
        """(partition, offset, kind) of the dead letters."""
        found = []
        for one in self.everybody:
            for record in one.letters.records:
                headers = {name: value or b"" for name, value in record.headers}
                found.append(
                    (
                        int(headers[CONNECT + "partition"]),
                        int(headers[CONNECT + "offset"]),
                        headers[OURS + "kind"].decode(),
                    )
                )
        return found

    @property
    def outcomes(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for one in self.everybody:
            total.update({outcome.value: n for outcome, n in one.counters.outcomes.items()})
        return total

    def assert_equals_table(self) -> None:
        """Every row with its own vector, and nothing else."""
        assert self.index == self.table.rows
        self.assert_vectors_fit()

    def assert_vectors_fit(self) -> None:
        """Each point's vector is that of the text its metadata says."""
        points = list(self.points.values())
        if not points:
            return
        texts = [text_of(point.metadata) for point in points]
        vectors = FakeEmbedder(FakeConfig(dimensions=32)).embed(texts, Purpose.DOCUMENT).vectors
        assert np.array_equal(np.stack([point.vector for point in points]), vectors)


def row_of(point: Point) -> dict[str, Any]:
    return {name: point.metadata[name] for name in ("name", "body", "price")}


def json_decoder(columns: frozenset[str] | None) -> DebeziumDecoder:
    return DebeziumDecoder(DecoderSettings(key=_JSON, value=_JSON, columns=columns))


def clock_of(world: World) -> SteppingClock:
    """The clock of a world that is not in real time."""
    assert isinstance(world.clock, SteppingClock)
    return world.clock


def system_world(**more: Any) -> World:
    """A world in real time, for tests with threads."""
    return World(clock=SystemClock(), **more)
