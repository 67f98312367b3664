"""Changes as tests need them, in one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.flow.entry import Entry
from worker.flow.ledger import PartitionLedger
from worker.model import Change, Key, Op, Origin, Record, TopicPartition

if TYPE_CHECKING:
    from worker.model import Value

TOPIC = "shop.public.products"


def ledger(partition: int = 0) -> PartitionLedger:
    return PartitionLedger(TopicPartition(TOPIC, partition))


def key(row: object) -> Key:
    return Key(TOPIC, (("id", row),))


def change(
    offset: int,
    row: object = 1,
    op: Op = Op.UPDATE,
    *,
    partition: int = 0,
    committed_ms: int | None = None,
    unavailable: tuple[str, ...] = (),
    moved_from: Key | None = None,
    moves_away: bool = False,
    moved_to: Key | None = None,
    **columns: Value,
) -> Change:
    record = Record(TOPIC, partition, offset, b"key", b"value" * 10, topic_id="topic-1")
    return Change(
        record,
        key(row),
        op,
        {} if op.removes else columns,
        Origin(committed_ms=committed_ms),
        frozenset(unavailable),
        moved_from,
        moves_away,
        moved_to=moved_to,
    )


def entry(offset: int, row: object = 1, op: Op = Op.UPDATE, **more: Value) -> Entry:
    return Entry(change(offset, row, op, **more), ledger(), arrived_s=float(offset))
