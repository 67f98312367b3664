"""What a worker remembers of its writes."""

from __future__ import annotations

from worker.clock import FakeClock
from worker.flow.ledger import PartitionLedger
from worker.model import Change, Key, Op, Record, TopicPartition
from worker.pipeline.held import Held
from worker.pipeline.known import Known

TOPIC = "shop.public.products"
SETTLE_S = 10.0
ADDRESS = ("products", "1")
OTHER = ("products", "2")


def change(key: bytes) -> Change:
    record = Record(TOPIC, 0, 1, key, b"v", topic_id="id")
    return Change(record, Key(TOPIC, (("id", 1),)), Op.DELETE, {})


def test_where_keys_have_two_schemas_only_the_time_of_a_write_is_remembered() -> None:
    clock, ledger = FakeClock(), PartitionLedger(TopicPartition(TOPIC, 0))
    known = Known(clock, settle_s=SETTLE_S, most_rows=10)
    old, new = change(b"\0\0\0\0\1x"), change(b"\0\0\0\0\2x")
    known.put(ledger, ADDRESS, old, Held.deleted(old))
    assert known.find(ledger, ADDRESS)[0] is not None
    first_s = clock.now_s()
    clock.advance(5.0)
    known.put(ledger, OTHER, new, Held.deleted(new))
    assert known.find(ledger, ADDRESS) == (None, first_s + SETTLE_S)
    assert known.find(ledger, OTHER) == (None, clock.now_s() + SETTLE_S)
