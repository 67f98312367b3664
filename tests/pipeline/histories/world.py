"""The whole engine on fakes, driven event by event and by one thread at a time."""

from __future__ import annotations

import random
import threading
from functools import cache
from typing import TYPE_CHECKING, cast

from confluent_kafka import murmur2

from tests.embedding import embedding_of
from tests.pipeline.gate import GatedEmbedder, GatedSpans, GatedState, GatedStore
from tests.pipeline.histories import history as happen
from tests.pipeline.histories.letters import Letters
from tests.pipeline.histories.oracle import BUFFERED_ROWS, DIMENSIONS, Oracle, row_id
from tests.pipeline.histories.table import TOPIC, Table
from tests.pipeline.histories.turns import AtOnce, End, Pool, Stage, StageClock
from tests.pipeline.letterbox import DEAD, LetterBox
from tests.pipeline.replaying import Mail
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.dlq import reading
from worker.dlq.headers import CONNECT, OURS
from worker.document.builder import DocumentBuilder
from worker.document.identity import sibling
from worker.document.place import place_of
from worker.document.spec import DocumentSpec, parse_spec
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Overlong
from worker.flow.batching import BatchPolicy, BufferLimits
from worker.letters.book import LetterBook
from worker.letters.standing import LetterState
from worker.marks.dead_rows import DeadRows
from worker.marks.port import NoWatermarks
from worker.marks.watermarks import TableWatermarks
from worker.model import Origin
from worker.pipeline.batch import BatchRunner
from worker.pipeline.emptying import CarriedOutTruncates
from worker.pipeline.fence import Fence
from worker.pipeline.heads import Heads
from worker.pipeline.inquiry import Readers, ReplayPorts
from worker.pipeline.later import LaterRecords
from worker.pipeline.lease import Lease
from worker.pipeline.model_guard import Form, ModelGuard
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
    from collections.abc import Collection, Mapping, Sequence

    from tests.pipeline.gate import Gate
    from tests.pipeline.histories.turns import Actor
    from worker.document.chunking import Chunking
    from worker.embed.port import Embeddings, Purpose
    from worker.errors import RecordError
    from worker.flow.entry import Work
    from worker.marks.port import Watermarks
    from worker.model import Point, Position, TopicPartition
    from worker.pipeline.item import Item, Report
    from worker.pipeline.truncates import Truncates
    from worker.source.port import Commit
    from worker.state.port import StateTopic
    from worker.store.port import Deletion, Replacement, Store

GROUP = "connect-products"
SESSION_S = 10.0
WRITE_TIMEOUT_S = 30.0
"""Later than this no write lands that was sent off. As in real stores that is more than a session,
so that the last write of a worker may land when others have its rows."""
_WRITES = frozenset({"upsert", "delete"})
_ROUNDS = 600
"""More than any history takes to come to its end."""
_ROUND_S = 0.5
_STEP_S = 0.1
_CALLS = 6
"""Before a batch writes it makes fewer."""
_MOST_CHUNKS = 16
"""More than any text here has."""
_PLACE = place_of(TOPIC, Origin(db="shop", schema="public", table="products"))
_JSON = PartSettings(format=Format.JSON, schemas_enable=False)


def what_is_wrong(history: happen.History) -> str:
    """What is not as promised when a history happens; empty if nothing is."""
    world = World(history.setting)
    try:
        for event in history.events:
            world.happens(event)
            if world.oracle.complaints:
                return world.oracle.complaints[0]
        world.ends()
        return next(iter(world.oracle.complaints), "")
    except Exception as error:  # noqa: BLE001 - a task that failed is as wrong
        return repr(error)
    finally:
        world.close()


class WatchedEmbedder(FakeEmbedder):
    """Tells what is paid for."""

    def __init__(self, world: World) -> None:
        super().__init__(FakeConfig(dimensions=DIMENSIONS, refuse=happen.POISON))
        self._world = world

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        actor = self._world.stage.acting
        assert actor is not None
        self._world.oracle.look_at_texts(texts, actor)
        return super().embed(texts, purpose, overlong)


class WatchedStore(MemoryStore):
    """Remembers what there was when a batch looked."""

    def __init__(self, world: World, behaviour: MemoryBehaviour) -> None:
        super().__init__(MemoryConfig(), behaviour=behaviour, clock=world.clock)
        self._world = world

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        actor = self._world.stage.acting
        assert actor is not None
        actor.seen, actor.looked_s = self._world.points, self._world.stage.now_s
        return super().fetch(namespace, ids)

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        self._look(namespace, {one.id: one.stamp.position for one in points if one.stamp})
        self._world.note_late(namespace, points)
        return super().upsert(namespace, points)

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        self._look(namespace, {one.id: one.position for one in deletions})
        return super().delete(namespace, deletions)

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        points = [point for row in rows for point in row.points]
        gone = {one.id: one.position for row in rows for one in row.deletions}
        self._look(namespace, {one.id: one.stamp.position for one in points if one.stamp} | gone)
        self._world.note_late(namespace, points)
        return super().replace(namespace, rows)

    def _look(self, namespace: str, positions: Mapping[str, Position]) -> None:
        if namespace != TOPIC:  # a parking place
            return
        actor = self._world.stage.acting
        assert actor is not None
        self._world.oracle.look_at_writes(positions, actor)
        now_s = self._world.stage.now_s
        rows = {row_id(one) for one in positions}
        self._world.writers.update(dict.fromkeys(rows, (actor.tenure, now_s)))
        ours = self._world.owned(actor)
        self._world.late = (self._world.late - ours) | (rows - ours)


class WatchedSource(MemorySource):
    """Every commit is looked at."""

    def __init__(self, world: World) -> None:
        super().__init__(world.broker, GROUP, Subscription((TOPIC,)), world.clock)
        self._world = world

    def commit(self, commits: Mapping[TopicPartition, Commit]) -> None:
        super().commit(commits)
        self._world.oracle.look_at_commits()

    def commit_now(self, commits: Mapping[TopicPartition, Commit], timeout_s: float) -> bool:
        is_done = super().commit_now(commits, timeout_s)
        self._world.oracle.look_at_commits()
        return is_done


class Runner:
    """Tells the stage whose batch acts."""

    def __init__(self, world: World, inner: BatchRunner) -> None:
        self.embedding = inner.embedding
        self.forget = inner.forget
        self._world = world
        self._inner = inner

    def decided(self, batch: Sequence[Work]) -> Sequence[Item]:
        return self._inner.decided(batch)

    def run(self, batch: Sequence[Work]) -> Report:
        actor = self._world.stage.acting
        assert actor is not None
        actor.batch = batch
        actor.tenure = self._world.tenure(actor.member)
        actor.seen = self._world.points
        return self._inner.run(batch)


class Member:
    """One worker with one task."""

    def __init__(self, world: World, number: int) -> None:
        self.number = number
        self.letters = LetterBox(world.broker)
        self.source = WatchedSource(world)
        self.state = MemoryStateTopic(world.state)
        marks = DeadRows(self.state)
        self._world = world
        self._abort = threading.Event()
        clock = world.clock
        patience = Patience(abort=self._abort, cut_off=self._abort, clock=clock, max_delay_s=2.0)
        lease = Lease(clock, SESSION_S)
        counters, pool = Counters(), Pool(world.stage, number)
        documents = world.documents()
        store: Store = world.gated_store
        truncates: Truncates = IgnoredTruncates(counters)
        watermarks: Watermarks = NoWatermarks()
        if world.setting.empties:
            state = cast("StateTopic", GatedState(self.state, world.gate))
            store = fence = Fence(world.gated_store, clock)
            watermarks = tables = TableWatermarks(state)
            sweeper = Sweeper(documents, fence, tables, lease, patience)
            truncates = CarriedOutTruncates(tables, sweeper, patience, counters, pool)
        runner = BatchRunner.of(
            documents=documents,
            embedding=embedding_of(world.embedder, clock, pool=AtOnce(), rng=random.Random(number)),
            store=store,
            guard=ModelGuard(world.store, world.embedder.model, world.form),
            lease=lease,
            patience=patience,
            clock=clock,
            cached_rows=1000,
            watermarks=watermarks,
            marks=marks,
            later=LaterRecords(world.origins, _decoder, patience),
            heads=Heads(world.origins, patience, clock),
        )
        self.task = Task(
            ports=Ports(
                self.source,
                _decoder(),
                cast("BatchRunner", Runner(world, runner)),
                self.letters,
                truncates,
                marks,
                replays=world.replay_ports(LetterBook(self.state)),
            ),
            settings=TaskSettings(
                BatchPolicy(max_rows=world.setting.rows, max_in_flight=world.setting.in_flight),
                BufferLimits(max_rows=BUFFERED_ROWS),
                store=world.store.capabilities,
            ),
            lease=lease,
            patience=patience,
            clock=clock,
            counters=counters,
            abort=self._abort,
            pool=pool,
        )
        self.source.start(self)

    def leave(self) -> None:
        """Stop in order, as ``Task.run`` does."""
        self._abort.set()
        self.source.close()
        self.letters.close(1.0)
        self.state.close(1.0)

    def owned(self, actor: Actor) -> frozenset[str]:
        """Rows of the batch that are this worker's, for itself and for the broker.

        What is no batch, such as the sweep of a truncate, is about all rows of its partitions.
        """
        places = self._world.broker.group(GROUP).owned(self.source)
        if not actor.batch:
            ours = {place.partition for place in places}
            pasts = self._world.table.pasts.items()
            return frozenset(str(key) for key, past in pasts if past.partition in ours)
        return frozenset(
            str(work.key.columns[0][1])
            for work in actor.batch
            if work.is_ours and work.newest.ledger.partition in places
        )

    # As the listener of its source -----------------------------------------------------------

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        self.task.on_assigned(partitions)

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        self._world.draining = self
        try:
            self.task.on_revoked(partitions)
        finally:
            self._world.draining = None

    def on_lost(self, partitions: Collection[TopicPartition]) -> None:
        self.task.on_lost(partitions)


class World:
    """A table, a store, and workers that come and go."""

    def __init__(self, setting: happen.Setting) -> None:
        self.setting = setting
        self.stage = Stage(self.owned)
        self.clock = StageClock(self.stage, self._meanwhile)
        self.broker = MemoryBroker()
        self.table = Table(self.broker, setting.partitions, setting.database)
        self.broker.create_topic(DEAD, 2)
        behaviour = MemoryBehaviour(
            guarded=setting.guarded,
            settle_s=setting.settle_s,
            numbers_writes=setting.numbers_writes,
            transactional=setting.transactional,
            write_timeout_s=WRITE_TIMEOUT_S,
        )
        self.state = MemoryLog()
        self.mail = Mail(self)
        self.watermarks = TableWatermarks(MemoryStateTopic(self.state))
        self.store = WatchedStore(self, behaviour)
        self.gate = cast("Gate", self.stage)
        self.gated_store = GatedStore(self.store, self.gate)
        self.embedder = GatedEmbedder(WatchedEmbedder(self), self.gate)
        self.everybody: list[Member] = []
        self.members: list[Member] = []
        """Those that did not leave or crash."""
        self.writers: dict[str, tuple[tuple[int, int], float]] = {}
        """By row, who wrote it last, and when."""
        self.late: frozenset[str] = frozenset()
        """Rows that a worker wrote last which had lost them by then."""
        self.excused: dict[str, Position] = {}
        """By id, what a worker wrote that was frozen for long, where the docs say that it stays."""
        self.draining: Member | None = None
        self.oracle = Oracle(self)
        self._hangs = False
        self._outages: dict[str, float] = {}
        """What is out, and until when."""
        self.join()

    # What happens ----------------------------------------------------------------------------

    def happens(self, event: happen.Event) -> None:  # noqa: C901, PLR0912 - one case per event
        """Let it happen, and look."""
        match event:
            case happen.Write(key, changes):
                self.table.write(key, changes)
            case happen.Delete(key):
                self.table.delete(key)
            case happen.Move(key, new, changes):
                self.table.move(key, new, changes)
            case happen.Truncate(partition):
                if self.setting.empties:
                    self.table.truncate(partition)
            case happen.Snapshot():
                self.table.snapshot()
            case happen.SendAgain(events):
                self.table.send_again(events)
            case happen.Join():
                self.join()
            case happen.WorkOn(worker, calls, hangs):
                self._work_on(worker, calls, hangs=hangs)
            case happen.Answer(call, end):
                self._answer_any(call, end)
            case happen.Leave(worker, hangs):
                self._leave(worker, hangs=hangs)
            case happen.Crash(worker, happened):
                self._crash(worker, End.LAST if happened else End.KILLED)
            case happen.Freeze(worker, in_write):
                self._freeze(worker, in_write=in_write)
            case happen.Pass(seconds):
                self._pass(seconds)
            case happen.Outage(what, seconds):
                self._outages[what] = self.stage.now_s + seconds
                self._tell_outages()
            case happen.SetBack():
                self._set_back()
            case happen.Replay(heals):
                self.embedder.takes_all |= heals
                self.mail.ask(force=True)
        self.oracle.look_at_commits()

    def ends(self) -> None:
        """Everything works from now on; let all come to its end, and look."""
        self.stage.is_open = True
        self._end_outages()
        for actor in [one for one in self.stage.waiting if one.call != "sleep"]:
            self._answer(actor, End.DONE)
        if not self.members:
            self.join()
        self._settle()
        self.embedder.takes_all = True
        self.mail.ask(force=True)
        self._settle()
        self.oracle.look_at_commits()
        self.oracle.look_at_end()

    def close(self) -> None:
        """Let all threads end."""
        for actor in list(self.stage.waiting):
            self.stage.go_on(actor, End.KILLED)

    def join(self) -> None:
        if len(self.members) < happen.WORKERS:
            member = Member(self, len(self.everybody))
            self.everybody.append(member)
            self.members.append(member)
            self._tell_outages()

    def _work_on(self, worker: int, calls: int, *, hangs: bool) -> None:
        member = self._pick(worker)
        if member is None:
            return
        self._hangs = hangs
        self._step(member)
        for _ in range(calls):
            waiting = self.stage.calls_of(member.number)
            if not waiting:
                break
            self._answer(waiting[0], End.DONE)
        self._step(member)
        self._hangs = False

    def _step(self, member: Member) -> None:
        member.task.step()
        self._pass(_STEP_S)

    def _answer_any(self, call: int, end: End) -> None:
        waiting = [one for one in self.stage.waiting if one.call != "sleep"]
        if waiting:
            self._answer(waiting[call % len(waiting)], end)

    def _leave(self, worker: int, *, hangs: bool) -> None:
        member = self._pick(worker)
        if member is None:
            return
        self.members.remove(member)
        self._hangs = hangs
        member.leave()
        self._hangs = False
        self.stage.kill(member.number, End.KILLED)

    def _crash(self, worker: int, last: End) -> None:
        member = self._pick(worker)
        if member is None:
            return
        self.members.remove(member)
        for actor in self.stage.all_of(member.number):
            self._answer(actor, End.KILLED if actor.call == "sleep" else last)
        member.source.expire()
        member.state.crash()
        self.broker.tell()

    def _freeze(self, worker: int, *, in_write: bool) -> None:
        member = self._pick(worker)
        if member is None:
            return
        if in_write:
            self._work_up_to_a_write(member)
        self._pass(SESSION_S + 1)
        member.source.expire()
        self.broker.tell()

    def _work_up_to_a_write(self, member: Member) -> None:
        self._step(member)
        for _ in range(_CALLS):
            waiting = self.stage.calls_of(member.number)
            if any(actor.call in _WRITES for actor in waiting):
                return
            for actor in waiting[:1]:
                self._answer(actor, End.DONE)
            self._step(member)

    def _pass(self, seconds: float) -> None:
        self.stage.now_s += seconds
        if self._outages:
            self._tell_outages()
        self.stage.wake()

    def _end_outages(self) -> None:
        self._outages.clear()
        self._tell_outages()

    def _tell_outages(self) -> None:
        """Whoever is out, or back, hears of it."""
        now_s = self.stage.now_s
        self._outages = {what: end for what, end in self._outages.items() if end > now_s}
        self.stage.away = frozenset(self._outages)
        for member in self.members:
            (member.letters.down if happen.LETTERS in self._outages else member.letters.up)()
        is_up = happen.BROKER not in self._outages
        if is_up is not self.broker.is_up:
            (self.broker.up if is_up else self.broker.down)()

    def _set_back(self) -> None:
        self._end_outages()
        while self.members:
            self._leave(0, hangs=False)
        self.broker.group(GROUP).committed.clear()

    def _settle(self) -> None:
        for _ in range(_ROUNDS):
            if self._is_settled:
                return
            for member in self.members:
                self._step(member)
            self._pass(_ROUND_S)
        self.oracle.complaints.append(f"it never ends; committed {self.committed}")

    # Calls -----------------------------------------------------------------------------------

    def _answer(self, actor: Actor, end: End) -> None:
        """A write that is on its way for longer than any can be does not land."""
        if actor.call in _WRITES and self._is_late(actor):
            end = End.KILLED if end in (End.KILLED, End.LAST) else End.FAILED
        self.stage.go_on(actor, end)

    def _is_late(self, actor: Actor) -> bool:
        """Sent off while the rows were its worker's, and standing still since then.

        A store that guards itself has to refuse such a write even if its worker was frozen before
        it sent it. A sweep relies on the time that any write may take.
        """
        if self.stage.now_s - actor.since_s <= WRITE_TIMEOUT_S:
            return False
        has_lost = bool(actor.owned - self.owned(actor))
        return self.setting.empties if self.setting.guarded and not has_lost else has_lost

    def note_late(self, namespace: str, points: Sequence[Point]) -> None:
        """What a store that guards itself takes from a worker that was frozen for long.

        Of two things it knows no Position (ADR 9 and 11): of a row that a truncate covers, and of a
        chunk whose number the row has no more when its owner is through.
        """
        actor = self.stage.acting
        assert actor is not None
        if namespace != TOPIC:
            return
        ours = self.owned(actor)
        for point in points:
            self.excused.pop(point.id, None)
            if self.setting.guarded and row_id(point.id) not in ours and point.stamp:
                self.excused[point.id] = point.stamp.position

    def is_covered(self, point: Point) -> bool:
        """Whether a truncate that is written down came after the change that it is of."""
        return self.watermarks.covers_point(point, _PLACE)

    def owned(self, actor: Actor) -> frozenset[str]:
        return self.everybody[actor.member].owned(actor)

    def tenure(self, member: int) -> tuple[int, int]:
        """A worker between two of its assignments."""
        return member, self.everybody[member].task.counters.rebalances

    def _meanwhile(self) -> None:
        """Called while a revoke waits for what is in flight, and by polls."""
        if self.draining is None or self._hangs:
            return
        waiting = self.stage.all_of(self.draining.number)
        for actor in sorted(waiting, key=lambda one: (one.call == "sleep", one.due_s))[:1]:
            if actor.call == "sleep":
                self.stage.now_s = max(self.stage.now_s, actor.due_s)
                self.stage.go_on(actor)
            else:
                self._answer(actor, End.DONE)

    def _pick(self, worker: int) -> Member | None:
        return self.members[worker % len(self.members)] if self.members else None

    # What there is to see --------------------------------------------------------------------

    @property
    def points(self) -> dict[str, Point]:
        """The index, whether it shows it yet or not, without what is excused."""
        points = self.store.points(TOPIC)
        return {
            point_id: point
            for point_id, point in points.items()
            if not self._is_excused(point, points.get(sibling(point_id, 0)))
        }

    def _is_excused(self, point: Point, head: Point | None) -> bool:
        """Written late, and of a truncated row or of a number that its row has not."""
        if point.stamp is None or self.excused.get(point.id) != point.stamp.position:
            return False
        chunks = 1 if head is None or head.stamp is None else head.stamp.chunks
        is_beyond = any(point.id == sibling(point.id, n) for n in range(chunks, _MOST_CHUNKS))
        return is_beyond or self.is_covered(point)

    @property
    def committed(self) -> Mapping[TopicPartition, int]:
        return self.broker.committed(GROUP)

    @property
    def dead(self) -> dict[tuple[int, int], str]:
        """Kind of each dead letter, by (partition, offset)."""
        found: dict[tuple[int, int], str] = {}
        for one in self.everybody:
            for record in one.letters.records:
                headers = {name: value or b"" for name, value in record.headers}
                place = int(headers[CONNECT + "partition"]), int(headers[CONNECT + "offset"])
                found[place] = headers[OURS + "kind"].decode()
        for place in self.mail.places({LetterState.REPLAYED}):
            found.pop(place, None)
        return found

    @property
    def left(self) -> set[tuple[int, int]]:
        """Where the dead letters came from that are neither replayed nor overtaken."""
        closed = self.mail.places({LetterState.REPLAYED, LetterState.SUPERSEDED})
        return self.dead.keys() - closed

    def replay_ports(self, book: LetterBook) -> ReplayPorts:
        """What a member replays with."""

        def readers() -> Readers:
            letters, origins = (
                GatedSpans(
                    MemorySpanReader(self.broker, GROUP, Subscription((topic,))),
                    self.gate,
                    method,
                )
                for topic, method in ((DEAD, "letters"), (TOPIC, "tail"))
            )
            return Readers(letters, origins, _decoder())

        return ReplayPorts(book, DEAD, reading, readers, murmur2)

    def origins(self) -> MemorySpanReader:
        """Reads the table's topic beside the group."""
        return MemorySpanReader(self.broker, GROUP, Subscription((TOPIC,)))

    @property
    def _is_settled(self) -> bool:
        committed = self.committed
        for place in self.table.places:
            log = self.broker.log(place)
            if log is None or committed.get(place, 0) != log.end:
                return False
        if self.watermarks.due(TOPIC, range(len(self.table.places))):
            return False
        return not (self.stage.waiting or self.mail.book.has_asked)

    @property
    def form(self) -> Form:
        """Of the points."""
        return Form.CHUNKS if self.setting.has_chunks else Form.WHOLE

    def documents(self) -> DocumentBuilder:
        """What a member makes documents with."""
        chunking = cast("Chunking", Letters()) if self.setting.has_chunks else None
        spec = _spec(self.setting.has_condition)
        return DocumentBuilder(spec, self.embedder.model, chunking=chunking)


@cache
def _spec(has_condition: bool) -> DocumentSpec:  # noqa: FBT001 - it is the key of a cache
    when = "visible" if has_condition else None
    return parse_spec(fields="title, body", metadata="title, price", when=when)


def _decoder() -> DebeziumDecoder:
    columns = frozenset({"title", "body", "price", "visible"})
    return DebeziumDecoder(DecoderSettings(key=_JSON, value=_JSON, columns=columns))
