"""Where histories happen: three tables in two databases, a provider that counts, workers."""

from __future__ import annotations

import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from tests.stack.histories.circumstances import PLAIN
from tests.stack.histories.evidence import about_letters, about_metadata, about_rows
from tests.stack.histories.kinds import point_id
from tests.stack.histories.rows import COLUMNS, FIELDS, GRADE, METADATA, WHEN, Row
from tests.stack.histories.stale_reads import stale_texts
from tests.stack.index import DIMENSIONS
from tests.stack.shops import Expected
from tests.stack.worker_process import committed, eventually
from worker.provider_local.faults import FaultRule, Faults, Kind
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.stack.bench import Bench
    from tests.stack.histories.circumstances import Circumstances
    from tests.stack.histories.economy import Allowance
    from tests.stack.histories.kinds import Key
    from tests.stack.histories.sources import Source
    from tests.stack.histories.statements import Author, Transaction
    from tests.stack.worker_process import WorkerProcess
    from worker.model import Record
    from worker.provider_local.server import ProviderLocal

MODEL = "text-embedding-3-small"
CAUGHT_UP_S = 180.0
LATENCY_S = 0.05
OUTAGE_S = 2.0
SWEEPS_S = 180.0
"""By so much workers may be apart in carrying out a truncate, each for its own partitions: a sweep
begins 30 s after an owner knows of it, and anew with each owner that a partition gets meanwhile."""
LOG_LINES = 80
LOST = 2
"""Calls."""

_vectors = partial(vectors_of, model=MODEL, length=DIMENSIONS, input_type="")


@dataclass(slots=True)
class Goods:
    """One of the three tables, with all that is known of it."""

    source: Source
    author: Author
    allowance: Allowance
    chronicle: list[str]
    """Of all tables."""

    @property
    def table(self) -> str:
        """Its name."""
        return self.author.terms.table

    @property
    def topic(self) -> str:
        """Where its changes are."""
        return self.source.topic(self.table)

    def tell(self, transaction: Transaction) -> None:
        """Execute it."""
        self.chronicle.append(f"{transaction};")
        for statement in transaction.statements:
            self.source.shop.sql(statement.sql, *statement.args)
        self.allowance.see(transaction.changes)

    def select(self) -> dict[Key, Row]:
        """What the database says."""
        names = self.author.terms.keys.names
        there = [name if name != GRADE or self.author.has_grade else "NULL" for name in COLUMNS]
        rows = self.source.shop.sql(f"SELECT {', '.join([*names, *there])} FROM {self.table}")
        found = {}
        for values in rows:
            key, rest = tuple(values[: len(names)]), values[len(names) :]
            held = dict(zip(COLUMNS, rest, strict=True))
            found[key] = Row(key, **{**held, "live": bool(held["live"])})
        return found

    def read_again(self) -> None:
        """Have Debezium make an incremental snapshot."""
        self.chronicle.append(f"-- incremental snapshot of {self.table}")
        self.source.signal(self.table)


@dataclass(slots=True)
class Stage:
    """The tables, and one group of workers for all of them."""

    bench: Bench
    provider: ProviderLocal
    circumstances: Circumstances
    goods: list[Goods]
    sources: list[Source]
    name: str
    chronicle: list[str]
    """What happened, as far as possible as SQL."""
    generation: int = 0
    lost: int = 0
    """Calls whose answers nobody got, since all was caught up with."""
    is_behind: bool = False
    """Whether the group's commits may stay behind what it has done."""
    workers: list[WorkerProcess] = field(default_factory=list)
    running: list[WorkerProcess] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, str]:
        """Of the connector."""
        return self.circumstances.settings

    def note(self, event: str) -> None:
        """Put what is no SQL into the chronicle."""
        self.chronicle.append(f"-- {time.strftime('%H:%M:%S')} {event}")

    # Workers -------------------------------------------------------------------------------

    @property
    def sink(self) -> str:
        """The connector's name."""
        return f"sink-{self.name}-{self.generation}"

    def join(self) -> None:
        """One more worker."""
        self.note("join")
        self._commits_may_be_behind()
        config = {
            "name": self.sink,
            "topics": ",".join(goods.topic for goods in self.goods),
            "document.when": WHEN,
            "embedder": "openai",
            "embedder.model": MODEL,
            "embedder.base.url": f"{self.provider.url}/openai/v1",
            "embedder.api.key": "good",
            **(self._reselect() if self.circumstances.reselects else {}),
            **self.circumstances.settings,
        }
        worker = self.bench.worker("", FIELDS, METADATA, config)
        worker.start()
        self.workers.append(worker)
        self.running.append(worker)

    def _reselect(self) -> dict[str, str]:
        postgres = self.bench.stack.postgres
        return {
            "reselect.url": f"postgresql://127.0.0.1:{postgres.port}/{self.name}",
            "reselect.user": postgres.user,
            "reselect.password": postgres.password,
        }

    def leave(self) -> None:
        """The oldest worker ends in order."""
        self.note("leave")
        self._commits_may_be_behind()
        worker = self.running.pop(0)
        # before it has begun, a signal just ends the interpreter
        eventually(lambda: "Assigned" in worker.log, "a worker at work", CAUGHT_UP_S)
        assert worker.stop() == 0, worker.log[-3000:]

    def kill(self) -> None:
        """The oldest worker ends in the middle of whatever it does."""
        self.note("kill")
        self.running.pop(0).kill()
        self._calls_were_lost()

    def freeze(self, meanwhile: Callable[[], None]) -> None:
        """The oldest worker stands still for as long as this takes; others may go on."""
        self.note("freeze")
        self.running[0].signal(signal.SIGSTOP)
        self._calls_were_lost()
        try:
            meanwhile()
        finally:
            self.running[0].signal(signal.SIGCONT)
        self.note("thaw")
        self._calls_were_lost()

    def rewind(self) -> None:
        """The group goes back to the start of the topics, with a new worker."""
        self.note("rewind")
        while self.running:
            self.leave()
        group = f"connect-{self.sink}"
        places = [
            KafkaPartition(goods.topic, partition, 0)
            for goods in self.goods
            for partition in range(self.bench.stack.kafka.topics.partitions(goods.topic))
        ]
        admin = AdminClient({"bootstrap.servers": self.bench.stack.kafka.bootstrap})
        wanted = [ConsumerGroupTopicPartitions(group, places)]
        admin.alter_consumer_group_offsets(wanted)[group].result(30.0)
        self._will_read_all()

    def found_group(self) -> None:
        """Another connector reads the same topics into the same index."""
        self.note("found group")
        while self.running:
            self.leave()
        self.generation += 1
        self._will_read_all()

    def _will_read_all(self) -> None:
        for goods in self.goods:
            goods.allowance.rewound()
        self.is_behind = False
        self.join()
        self.is_behind = True

    # What is around them -------------------------------------------------------------------

    def lose_answers(self) -> None:
        """The provider does its work for a moment, and nobody hears of it."""
        self.note("answers are lost")
        rule = FaultRule(kind=Kind.CUT, applied=True, count=LOST)
        self.provider.faults = Faults(latency_s=LATENCY_S, rules=[rule])
        self.lost += LOST

    def refuse_service(self) -> None:
        """The provider is away for a moment."""
        self.note("provider away")
        rule = FaultRule(status=503, seconds=OUTAGE_S)
        self.provider.faults = Faults(latency_s=LATENCY_S, rules=[rule])

    def close_store(self) -> None:
        """The store is away for a moment."""
        self.note("store away")
        self.bench.server.kill()
        time.sleep(OUTAGE_S)
        self.bench.server.start()

    def change_sources(self) -> None:
        """Other source connectors read all tables from the beginning."""
        self.note("new source connectors")
        topics = self.bench.stack.kafka.topics
        for source in self.sources:
            wanted = {
                goods.topic: topics.count(goods.topic) + len(goods.author.rows)
                for goods in self.goods
                if goods.source is source
            }
            wanted[source.marks] = topics.count(source.marks) + source.marked
            source.insist(source.begin, wanted)

    def _calls_were_lost(self) -> None:
        self.is_behind = True
        for goods in self.goods:
            goods.allowance.crashed()

    def _commits_may_be_behind(self) -> None:
        """After a kill or a rewind they stay where they were, until the second look is over."""
        if self.is_behind:
            self._calls_were_lost()

    @property
    def logs(self) -> str:
        """The end of what Kafka Connect said, and each worker."""
        said = [self.bench.stack.connect.process.log_file.read_text(errors="replace")]
        said += [worker.log for worker in self.workers]
        return "\n".join("\n".join(one.splitlines()[-LOG_LINES:]) for one in said)

    # What must hold ------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Wait until the index is what the tables say, and nothing is left to do.

        Raises:
            AssertionError: it does not come to that, or a record became a dead letter.
        """
        for source in self.sources:
            source.wait()
        time.sleep(0.3)  # other partitions' records are written by other requests
        eventually(self._has_caught_up, "all records committed", CAUGHT_UP_S)
        time.sleep(1.2 * self.circumstances.late_s)
        self._commits_may_be_behind()  # who joined may have been slow to start
        for goods in self.goods:
            rows = goods.select()
            assert rows == goods.author.rows, "this test does not know its own table"
            self._assert_equals(goods, rows)
            goods.allowance.caught_up(self.lost)
        self.is_behind, self.lost = False, 0
        self.note("caught up")
        self.assert_economy()

    def _assert_equals(self, goods: Goods, rows: Mapping[Key, Row]) -> None:
        """Row by row."""
        expected: dict[str, Expected] = {}
        for row in rows.values():
            expected |= self._points(goods, row)
        deadline = time.monotonic() + (SWEEPS_S if goods.author.terms.truncates else 0)
        while wrong := self.bench.index.differing(goods.topic, expected, _vectors):
            if time.monotonic() < deadline:
                time.sleep(1.0)
                continue
            keys = self._keys(goods, {point.partition("#")[0] for point in wrong})
            evidence = about_rows(self.bench, goods.topic, keys)
            wanted = {point: expected.get(point) for point in wrong}
            points = about_metadata(self.bench, goods.topic, wanted)
            raise AssertionError(f"{goods.table} {sorted(wrong)[:20]}\n{points}\n{evidence}")

    def _points(self, goods: Goods, row: Row) -> Mapping[str, Expected]:
        """What should be in the index for a row."""
        if row.text is None:
            return {}
        metadata = row.metadata(goods.author.terms.odd)
        name, pieces = point_id(row.key), self.circumstances.pieces(row.text)
        is_cut = self.circumstances.chunking is not None
        names = [f"{name}#{number}" if is_cut else name for number in range(len(pieces))]
        return {
            point: Expected(
                piece, metadata | ({"text": piece} if self.circumstances.keeps_text else {})
            )
            for point, piece in zip(names, pieces, strict=True)
        }

    def _keys(self, goods: Goods, points: set[str]) -> Sequence[Key]:
        """Of these points, as far as they are of rows that there might be."""
        keys = [*goods.author.terms.keys.values, *goods.author.rows]
        return [key for key in dict.fromkeys(keys) if point_id(key) in points]

    def assert_economy(self) -> None:
        """No text was paid more often than it was one that the index did not hold."""
        allowed = sum((goods.allowance.texts for goods in self.goods), Counter[str]())
        excess = {
            text: (times, allowed[text])
            for text, times in self.paid().items()
            if times > allowed[text] and not (text not in allowed and self._may_be_mixed(text))
        }
        if excess:
            told = self._told_by_stale_reads()
            excess = {text: how for text, how in excess.items() if how[0] > how[1] + told[text]}
        assert not excess, self._about_excess(excess)

    def _told_by_stale_reads(self) -> Counter[str]:
        """What is embedded for the texts of rows that a snapshot told as they had been."""
        told: Counter[str] = Counter()
        for goods in self.goods:
            for text, times in stale_texts(self.bench, goods.topic).items():
                told.update(dict.fromkeys(self.circumstances.pieces(text), times))
        return told

    def _may_be_mixed(self, text: str) -> bool:
        """Whether a row may have looked so to who read a column later than the others."""
        return self.circumstances.reselects and PLAIN in text

    def _about_excess(self, excess: Mapping[str, tuple[int, int]]) -> str:
        lines = [f"{len(excess)} texts in excess"]
        for goods in self.goods:
            for text, (times, allowed) in list(excess.items())[:3]:
                if keys := goods.allowance.keys(text):
                    lines.append(f"{text[:60]!r} {times} times instead of {allowed}: rows {keys}")
                    lines.append(about_rows(self.bench, goods.topic, keys))
        return "\n".join([*lines, *(f"{text[:80]!r} {how}" for text, how in excess.items())])

    def paid(self) -> Mapping[str, int]:
        """How often the provider was asked for each text."""
        return self.provider.texts().get("openai", {})

    def dead(self) -> list[Record]:
        """Dead letters."""
        topics = self.bench.stack.kafka.topics
        name = f"{self.sink}-dlq"
        return list(topics.read(name)) if topics.count(name) else []

    def _has_caught_up(self) -> bool:
        for worker in self.running:
            assert worker._process is not None
            if (code := worker._process.poll()) is not None:
                raise RuntimeError(f"a worker ended with {code}: {worker.log[-3000:]}")
        if dead := self.dead():
            raise RuntimeError(about_letters(self.bench, dead))
        return all(self._is_committed(goods.topic) for goods in self.goods)

    def _is_committed(self, topic: str) -> bool:
        stack = self.bench.stack
        done = committed(stack, f"connect-{self.sink}", topic)
        ends = {p: high for p, (_, high) in stack.kafka.topics._watermarks(topic).items()}
        return all(
            high == 0 or any(tp.partition == p and at == high for tp, at in done.items())
            for p, high in ends.items()
        )
