"""A dead-letter topic and a book of letters in memory."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.clock import FakeClock
from worker.decode.decoder import DebeziumDecoder, DecoderSettings, Format, PartSettings
from worker.dlq.headers import Sender, headers_of
from worker.dlq.port import DeadLetter
from worker.dlq.reading import letter_of, letters_of, original_of
from worker.errors import RecordError, Stage
from worker.estimate.stored import Waiting
from worker.explain.reading import Reading
from worker.letters.book import LetterBook
from worker.letters.case import Filing
from worker.letters.standing import LetterId
from worker.model import Origin, Record, TopicPartition
from worker.pipeline.patience import Patience
from worker.source.memory_broker import MemoryBroker
from worker.source.memory_spans import MemorySpanReader
from worker.source.subscription import Subscription
from worker.state.memory import MemoryLog, MemoryStateTopic
from worker.triage.closing import Closing
from worker.triage.mailbox import Found, Mailbox
from worker.triage.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.source.port import SpanReader

TOPIC = "shop-dlq"
SOURCE = "shop.public.products"
STATE = "connect-shop-state"
HOUR_MS = 3_600_000
NOON_MS = 1_795_694_400_000 - 1_795_694_400_000 % HOUR_MS
SENDER = Sender("shop", 0, "1.2.3")
_JSON = PartSettings(format=Format.JSON, schemas_enable=False)
MAX_REPLAYS = 2


class Office:
    """Letters come by ``fail``; commands see them through ``mailbox`` and ``closing``."""

    def __init__(self, partitions: int = 1) -> None:
        self.broker = MemoryBroker()
        self.broker.create_topic(TOPIC, partitions)
        self.state = MemoryLog()
        self.book = LetterBook(MemoryStateTopic(self.state), lambda: float(NOON_MS))
        self.others: list[str] = []
        """Topics that the tests make."""
        self.committed: dict[TopicPartition, int] = {}
        self.questions = 0
        """How often somebody asked for what is committed."""
        self.mailbox = Mailbox(
            reader=self.reader(TOPIC),
            filing=Filing(letters_of("shop"), self.book.standings, MAX_REPLAYS),
            reading=Reading(DebeziumDecoder(DecoderSettings(_JSON, _JSON)), waiting()),
        )
        self.closing = Closing(self.book, self._commit, waiting(), self.topic_ids)

    def reader(self, topic: str) -> SpanReader:
        return MemorySpanReader(self.broker, "connect-shop", Subscription((topic,)))

    def fail(
        self,
        offset: int,
        *,
        row: int = 1,
        kind: str = "TextRefused",
        stage: Stage = Stage.EMBED,
        topic: str = SOURCE,
        table: str | None = None,
        at_ms: int = NOON_MS,
        partition: int = 0,
        connector: str = "shop",
    ) -> LetterId:
        """A record of the source topic becomes a letter."""
        key = json.dumps({"id": row}).encode()
        record = Record(topic, 0, offset, key, b"{}", (), at_ms - 5, "source-id")
        return self.send(
            record, kind, stage, table=table, at_ms=at_ms, partition=partition, connector=connector
        )

    def fail_again(self, letter: LetterId) -> LetterId:
        """A replay of a letter comes back."""
        log = self.broker.log(TopicPartition(TOPIC, letter.partition))
        assert log is not None
        (dead,) = log.read(letter.offset, 1)
        told = letter_of(dead)
        assert told is not None
        return self.send(original_of(dead, told), "TextRefused", Stage.EMBED)

    def send(
        self,
        record: Record,
        kind: str,
        stage: Stage,
        *,
        table: str | None = None,
        at_ms: int = NOON_MS,
        partition: int = 0,
        connector: str = "shop",
    ) -> LetterId:
        origin = Origin("postgresql", "shop", "public", table) if table else Origin()
        error = RecordError("the text is refused", stage=stage, kind=kind)
        letter = DeadLetter(record, error, origin=origin, failed_ms=at_ms)
        sent = self.broker.produce(
            TOPIC,
            record.key,
            record.value,
            partition=partition,
            headers=headers_of(letter, replace(SENDER, connector=connector)),
            timestamp_ms=record.timestamp_ms,
        )
        return LetterId(sent.topic_id, sent.partition, sent.offset)

    def found(self, **conditions: object) -> Found:
        chosen = Selection(**conditions)  # type: ignore[arg-type]  # checked by use
        return self.mailbox.find(chosen, self.mailbox.ends())

    def names(self, **conditions: object) -> list[str]:
        return [case.letter.name for case in self.found(**conditions).cases]

    def closed_to(self) -> Mapping[TopicPartition, int]:
        """What is committed."""
        self.questions += 1
        return self.committed

    def topic_ids(self) -> list[str]:
        """Of all topics that exist."""
        found = (self.broker.topic_id(name) for name in (TOPIC, *self.others))
        return [one for one in found if one]

    def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed |= offsets


def waiting() -> Waiting:
    return Waiting(Patience(abort=threading.Event(), clock=FakeClock(), timeout_s=5.0))
