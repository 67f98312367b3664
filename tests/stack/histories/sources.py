"""Debezium's side of a history: one connector for each database, and another one at times."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.stack.connect import Connector
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

MARKS = "CREATE TABLE marks (n int PRIMARY KEY)"
ATTEMPTS = 4
"""At a snapshot, as Debezium may give one up."""
SNAPSHOT_S = 45.0
SIGNALS = "CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048))"


@dataclass(slots=True)
class Source:
    """A database that is captured."""

    stack: Stack
    shop: PostgresShop | MySqlShop
    tables: Sequence[str]
    config: Mapping[str, str]
    connectors: list[Connector] = field(default_factory=list)
    marked: int = 0

    def __post_init__(self) -> None:
        self.shop.sql(MARKS)
        self.shop.sql(SIGNALS)

    @property
    def marks(self) -> str:
        """A topic whose records come after everything that was committed before."""
        return self.topic("marks")

    def topic(self, table: str) -> str:
        """Of one of its tables."""
        return f"{self.shop.name}.{self.shop.table_prefix}.{table}"

    def begin(self) -> None:
        """Capture the tables; a second time with a new connector, which reads them all again."""
        if self.connectors:
            self.end()
        shop, prefix = self.shop, self.shop.table_prefix
        name = f"source-{shop.kind}-{shop.name}-{len(self.connectors)}"
        config = dict(self.config) | {"signal.data.collection": f"{prefix}.signals"}
        if shop.kind != "postgresql":
            config["schema.history.internal.kafka.topic"] = f"{name}.schema-history"
        register, server = (
            (self.stack.connect.register_postgres, self.stack.postgres)
            if shop.kind == "postgresql"
            else (self.stack.connect.register_mysql, self.stack.mysql)
        )
        connector = register(
            server,  # type: ignore[arg-type]
            name=name,
            database=shop.name,
            topic_prefix=shop.name,
            tables=[f"{prefix}.{table}" for table in (*self.tables, "marks", "signals")],
            config=config,
        )
        self.connectors.append(connector)

    def insist(self, ask: Callable[[], None], wanted: Mapping[str, int]) -> None:
        """Ask Debezium for a snapshot, again if it gives it up, until topics have so many records.

        Raises:
            TimeoutError: it always did.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                ask()
                for topic, records in wanted.items():
                    self.stack.kafka.topics.wait_for(topic, records, SNAPSHOT_S)
            except TimeoutError:
                if not left:
                    raise
            else:
                return

    def end(self) -> None:
        """Delete the connector."""
        self.stack.connect.delete(self.connectors[-1])

    def wait(self) -> None:
        """Until everything that was committed before is in Kafka."""
        topics = self.stack.kafka.topics
        before = topics.count(self.marks)
        self.marked += 1
        self.shop.sql("INSERT INTO marks VALUES (%s)", self.marked)
        topics.wait_for(self.marks, before + 1)

    def signal(self, table: str) -> None:
        """Have Debezium make an incremental snapshot."""
        name = f"{self.shop.table_prefix}.{table}"
        told = f'{{"data-collections": ["{name}"], "type": "incremental"}}'
        number = str(time.time_ns())
        self.shop.sql("INSERT INTO signals VALUES (%s, 'execute-snapshot', %s)", number, told)
