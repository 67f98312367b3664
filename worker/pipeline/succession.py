"""Keys of a new schema wait until what was written before them is done with, everywhere.

A key's partition follows from its bytes, and these hold its schema (``flow.key_schema``). So when a
key column gets another type, a row goes on in another partition than it was in, and no offset says
which of its records came first. Within a partition the new schema begins at one record; that one is
held back until the group has committed everything older of the topic's other partitions. From then
on nothing is read again that it could not follow, unless offsets are set back; and then it waits
once more. Where schemas take turns, as with tables that are routed into one topic, nothing moves
and nothing waits. See ``docs/adr/0019-keys-of-a-new-schema-wait.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.flow.key_schema import name_of, prefix_of
from worker.immutable import immutable
from worker.pipeline.background import Background
from worker.pipeline.patience import Interrupted
from worker.pipeline.standstill import Wait

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from worker.clock import Clock
    from worker.flow.ledger import PartitionLedger
    from worker.model import Record, TopicPartition
    from worker.pipeline.heads import Head, Heads
    from worker.source.port import Commit

_AGAIN_S = 0.5
_TURN_MS = 60_000
"""Between records of one schema in a partition: it has not been left, there are several."""


@immutable(eq=False)
class Held:
    """A record that waits, with all that came after it in its partition."""

    record: Record
    ledger: PartitionLedger
    prefix: bytes
    is_change: bool
    """Whether the record before it is known to have been of another schema."""
    wait: Wait

    def waits_for(self, heads: Mapping[TopicPartition, Head]) -> Mapping[TopicPartition, Head]:
        """Partitions of its topic that are not done with what came before it.

        What came in the same millisecond counts if its schema is older: Debezium may send dozens of
        records in one, on both sides of the change. So there is one order for all who wait.

        Where nobody knows what came before it in its own partition, only another schema counts: who
        just starts does not wait for partitions that are behind.
        """
        at_ms, schema = self.record.timestamp_ms, name_of(self.prefix)
        if at_ms is None:
            return {}
        return {
            place: head
            for place, head in heads.items()
            if place.topic == self.record.topic
            and place != self.ledger.partition
            and head.at_ms is not None
            and (head.at_ms, head.schema) < (at_ms, schema)
            and (self.is_change or head.schema != schema)
        }


@dataclass(slots=True, eq=False)
class _Survey:
    """A look at the other partitions of what is held back by then."""

    held: Collection[Held]
    heads: Mapping[TopicPartition, Head] = field(default_factory=dict)


class Succession:
    """Belongs to the task's thread. Without ``heads`` nothing is held back."""

    def __init__(self, heads: Heads | None, clock: Clock, settle_s: float) -> None:
        """``settle_s`` is the longest time until a write is visible."""
        self._heads = heads
        self._settle_s = settle_s
        self._clock = clock
        self._surveying: Background[_Survey] = Background("key schemas")
        self._held: dict[TopicPartition, Held] = {}
        self._due_s = clock.now_s()

    def begin(self, ledger: PartitionLedger, left: Commit | None) -> None:
        """A partition came; its last owner committed this."""
        ledger.key_schema = None if left is None else left.key_schema

    def admits(self, record: Record, ledger: PartitionLedger) -> bool:
        """Whether a record may be taken in. Its partition's later ones are not asked for before."""
        key, prefix = record.key, ledger.key_prefix
        if key is None or (prefix is not None and key.startswith(prefix)):
            return True
        return self._meets(record, ledger, prefix_of(key))

    def tick(self) -> Iterable[TopicPartition]:
        """Partitions that may go on.

        Raises:
            FatalError: the topics cannot be read beside the group.
        """
        for ended in self._surveying.ended():
            if ended.error is None:
                self._weigh(ended.subject)
            elif not isinstance(ended.error, Interrupted):
                raise ended.error
        self._drop_lost()
        now_s = self._clock.now_s()
        yield from self._let_in(now_s)
        if self._surveying.under_way:
            return
        waiting = [held for held in self._held.values() if not held.wait.has_ended]
        if waiting and now_s >= self._due_s:
            self._due_s = now_s + _AGAIN_S
            self._surveying.begin(_Survey(waiting), self._survey)
        elif self._heads is not None and self._heads.is_idle:
            self._surveying.begin(_Survey(()), self._let_go)

    def close(self) -> None:
        """Let the thread end."""
        self._surveying.close()
        if self._heads is not None:
            self._heads.close()

    def _meets(self, record: Record, ledger: PartitionLedger, prefix: bytes) -> bool:
        """A record of another schema than the one before it, or the first one at all."""
        name = name_of(prefix)
        is_usual = not prefix or name == ledger.key_schema or _takes_turns(name, record, ledger)
        if self._heads is None or is_usual:
            _admit(record, ledger, prefix)
            return True
        is_change = ledger.key_schema not in (None, "")
        self._due_s = self._clock.now_s()
        wait = Wait(record, name, self._due_s, self._settle_s, is_change=is_change)
        self._held[ledger.partition] = Held(record, ledger, prefix, is_change, wait)
        return False

    def _weigh(self, survey: _Survey) -> None:
        """What was held back later has to wait for the next look."""
        for held in survey.held:
            held.wait.look(held.waits_for(survey.heads), self._clock.now_s())

    def _let_in(self, now_s: float) -> Iterable[TopicPartition]:
        for place, held in list(self._held.items()):
            if held.wait.is_over(now_s):
                del self._held[place]
                _admit(held.record, held.ledger, held.prefix)
                yield place

    def _drop_lost(self) -> None:
        for place in [one for one, held in self._held.items() if not held.ledger.is_open]:
            del self._held[place]

    def _survey(self, survey: _Survey) -> None:
        """Beside the task's thread."""
        if self._heads is not None:
            survey.heads = self._heads.of({held.record.topic for held in survey.held})

    def _let_go(self, _: _Survey) -> None:
        if self._heads is not None:
            self._heads.let_go()


def _admit(record: Record, ledger: PartitionLedger, prefix: bytes) -> None:
    before, name, at_ms = ledger.key_schema, name_of(prefix), record.timestamp_ms
    if before is not None and at_ms is not None and before != name:
        ledger.left_schemas[before] = at_ms
    ledger.key_prefix, ledger.key_schema = prefix, name


def _takes_turns(name: str, record: Record, ledger: PartitionLedger) -> bool:
    """Whether keys of this schema came just before those that came last."""
    left_ms, at_ms = ledger.left_schemas.get(name), record.timestamp_ms
    return left_ms is not None and at_ms is not None and at_ms - left_ms < _TURN_MS
