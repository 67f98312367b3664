"""Where histories happen: three tables in two databases, a provider that counts, workers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, get_args

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from tests.stack.histories.economy import Allowance
from tests.stack.histories.evidence import about_letters, about_rows
from tests.stack.histories.rows import COLUMNS, FIELDS, METADATA, WHEN, Row
from tests.stack.index import DIMENSIONS
from tests.stack.worker_process import committed, eventually
from worker.config.connector import EventSettings
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.stack.bench import Bench
    from tests.stack.histories.statements import Author, Transaction
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.worker_process import WorkerProcess
    from worker.model import Record
    from worker.provider_local.server import ProviderLocal

MODEL = "text-embedding-3-small"
CAUGHT_UP_S = 120.0
MARKS = "CREATE TABLE marks (n int PRIMARY KEY)"
SIGNALS = "CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048))"
GOODS = """CREATE TABLE {table} (
    id int PRIMARY KEY, name varchar(100), body {text}, price decimal(10,2),
    live boolean NOT NULL, note varchar(100))"""

_vectors = partial(vectors_of, model=MODEL, length=DIMENSIONS, input_type="")


def truncates() -> bool:
    """Whether a TRUNCATE can be made to empty the index."""
    modes = EventSettings.model_fields["truncate_mode"].annotation
    return "delete" in get_args(modes)


@dataclass(slots=True)
class Goods:
    """One of the three tables, with all that is known of it."""

    shop: PostgresShop | MySqlShop
    table: str
    topic: str
    author: Author
    chronicle: list[str]
    """Of all tables."""
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def openings(self) -> tuple[str, ...]:
        """How its texts begin."""
        return f"Name: {self.table} ", f"{self.table} "

    def tell(self, transaction: Transaction) -> None:
        """Execute it."""
        self.chronicle.append(f"{transaction};")
        for statement in transaction.statements:
            self.shop.sql(statement.sql, *statement.args)
        self.allowance.see(transaction.changes)

    def select(self) -> dict[int, Row]:
        """What the database says."""
        rows = self.shop.sql(f"SELECT {', '.join(COLUMNS)} FROM {self.table}")
        return {
            key: Row(key, name, body, price, bool(live), note)
            for key, name, body, price, live, note in rows
        }

    def read_again(self) -> None:
        """Have Debezium make an incremental snapshot."""
        self.chronicle.append(f"-- incremental snapshot of {self.table}")
        name = f"{self.shop.table_prefix}.{self.table}"
        told = f'{{"data-collections": ["{name}"], "type": "incremental"}}'
        number = str(time.time_ns())
        self.shop.sql("INSERT INTO signals VALUES (%s, 'execute-snapshot', %s)", number, told)


@dataclass(slots=True)
class Stage:
    """The tables, and one group of workers for all of them."""

    bench: Bench
    provider: ProviderLocal
    goods: list[Goods]
    marks: list[tuple[PostgresShop | MySqlShop, str]]
    """Per database: a topic whose records come after everything that was committed before."""
    settings: Mapping[str, str]
    name: str
    chronicle: list[str]
    """What happened, as far as possible as SQL."""
    generation: int = 0
    marked: int = 0
    workers: list[WorkerProcess] = field(default_factory=list)
    running: list[WorkerProcess] = field(default_factory=list)

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
        config = {
            "name": self.sink,
            "topics": ",".join(goods.topic for goods in self.goods),
            "document.when": WHEN,
            "embedder": "openai",
            "embedder.model": MODEL,
            "embedder.base.url": f"{self.provider.url}/openai/v1",
            "embedder.api.key": "good",
            **({"truncate.mode": "delete"} if truncates() else {}),
            **self.settings,
        }
        worker = self.bench.worker("", FIELDS, METADATA, config)
        worker.start()
        self.workers.append(worker)
        self.running.append(worker)

    def leave(self) -> None:
        """The oldest worker ends in order."""
        self.note("leave")
        worker = self.running.pop(0)
        # before it has begun, a signal just ends the interpreter
        eventually(lambda: "Assigned" in worker.log, "a worker at work")
        assert worker.stop() == 0, worker.log[-3000:]

    def kill(self) -> None:
        """The oldest worker ends in the middle of whatever it does."""
        self.note("kill")
        self.running.pop(0).kill()
        for goods in self.goods:
            goods.allowance.crashed()

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
        self.join()

    # What must hold ------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Wait until the index is what the tables say, and nothing is left to do.

        Raises:
            AssertionError: it does not come to that, or a record became a dead letter.
        """
        self._wait_for_the_source()
        eventually(self._has_caught_up, "all records committed", CAUGHT_UP_S)
        for goods in self.goods:
            rows = goods.select()
            assert rows == goods.author.rows, "this test does not know its own table"
            self._assert_equals(goods, rows)
            goods.allowance.caught_up()
        self.note("caught up")
        self.assert_economy()

    def _assert_equals(self, goods: Goods, rows: Mapping[int, Row]) -> None:
        """Row by row."""
        expected = {str(key): row.expected for key, row in rows.items() if row.expected}
        wrong = self.bench.index.differing(goods.topic, expected, _vectors)
        assert not wrong, about_rows(self.bench, goods.topic, map(int, wrong))

    def assert_economy(self) -> None:
        """No text was paid more often than it was one that the index did not hold."""
        paid = self.paid()
        for goods in self.goods:
            allowed = goods.allowance.texts
            excess = {
                text: (times, allowed[text])
                for text, times in paid.items()
                if text.startswith(goods.openings) and times > allowed[text]
            }
            assert not excess, self._about_excess(goods, excess)

    def _about_excess(self, goods: Goods, excess: Mapping[str, tuple[int, int]]) -> str:
        lines = [
            f"{text[:60]!r} {times} times instead of {allowed}: rows {goods.allowance.keys(text)}"
            for text, (times, allowed) in excess.items()
        ]
        keys = {key for text in excess for key in goods.allowance.keys(text)}
        return "\n".join([*lines, about_rows(self.bench, goods.topic, keys)])

    def paid(self) -> Mapping[str, int]:
        """How often the provider was asked for each text."""
        return self.provider.texts().get("openai", {})

    def dead(self) -> list[Record]:
        """Dead letters."""
        topics = self.bench.stack.kafka.topics
        name = f"{self.sink}-dlq"
        return list(topics.read(name)) if topics.count(name) else []

    def _wait_for_the_source(self) -> None:
        self.marked += 1
        for shop, _ in self.marks:
            shop.sql("INSERT INTO marks VALUES (%s)", self.marked)
        for _, topic in self.marks:
            self.bench.stack.kafka.topics.wait_for(topic, self.marked)
        time.sleep(0.3)  # other partitions' records are written by other requests

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
