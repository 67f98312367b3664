"""What a connector has before it: rows to read, and dead letters to look after."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

from worker.config import kafka
from worker.dlq.reading import letters_of
from worker.errors import FatalError, WorkerError
from worker.letters.counting import Census
from worker.source.clients import KafkaSourceSettings
from worker.source.group_offsets import KafkaGroupOffsets
from worker.source.subscription import Subscription
from worker.telemetry.behind import Behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.build import Assembly
    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.letters.standing import LetterId
    from worker.model import TopicPartition
    from worker.source.port import SpanReader

OpenReader: TypeAlias = "Callable[[WorkerConfig, ConnectorConfig, tuple[str, ...]], SpanReader]"
"""Of some topics, beside the connector's group."""

_log = logging.getLogger(__name__)

_EVERY_S = 15.0
_TIMEOUT_S = 10.0


def _kafka_reader(
    worker: WorkerConfig, config: ConnectorConfig, topics: tuple[str, ...]
) -> SpanReader:
    from worker.source.kafka_spans import KafkaSpanReader  # noqa: PLC0415 - few runs need it

    return KafkaSpanReader(
        KafkaSourceSettings(
            consumer=kafka.reader_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
            subscription=Subscription(topics),
        )
    )


class Lag:
    """Asked for beside the group, rows and letters in a thread each.

    The first look at the letters may read much, and a topic may be silent: rows do not wait for it.
    """

    def __init__(
        self, of: Assembly, open_reader: OpenReader = _kafka_reader, *, every_s: float = _EVERY_S
    ) -> None:
        self.of = of
        self.by_topic: Mapping[str, int] = {}
        """Rows; empty while nobody knows."""
        self.seconds_by_topic: Mapping[str, float] = {}
        self.open_letters: int | None = None
        """None while nobody knows, and where there is no dead-letter topic."""
        self._behind = Behind()
        self._config = config = of.config
        self._open_reader = open_reader
        self._every_s = every_s
        admin = kafka.admin_properties(of.worker, config)
        self._closed = KafkaGroupOffsets(config.dlq_group_id, admin)
        self._stop = threading.Event()

    def watch(self) -> None:
        """Begin."""
        self._begin("lag", self._watch_rows)
        if self._config.dlq_topic is not None:
            self._begin("letters", self._watch_letters, self._config.dlq_topic)

    def close(self) -> None:
        """End, soon."""
        self._stop.set()

    def _begin(self, what: str, watch: Callable[..., None], *topics: str) -> None:
        name = f"{what}-{self._config.name}"
        threading.Thread(target=watch, args=topics, name=name, daemon=True).start()

    def _watch_rows(self) -> None:
        with closing(self._reader(*self._config.subscription)) as rows:
            self._go_on(lambda: self._look_at_rows(rows), self._forget_rows)

    def _watch_letters(self, topic: str) -> None:
        with closing(self._reader(topic)) as reader:
            census = Census(letters_of(self._config.name))
            touched = self.of.notes.touched_letters
            letters = OpenLetters(reader, census, touched, self._closed_to)
            self._go_on(lambda: self._look_at_letters(letters), self._forget_letters)

    def _go_on(self, look: Callable[[], None], forget: Callable[[], None]) -> None:
        """Look again and again. No error ends it, as nobody would begin again."""
        said: set[type[Exception]] = set()
        while not self._stop.is_set():
            try:
                look()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is said
                forget()
                if type(error) not in said:
                    name = self._config.name
                    _log.error("What %s has before it is not known.", name, exc_info=error)
                said.add(type(error))
            self._stop.wait(self._every_s)

    def _look_at_rows(self, reader: SpanReader) -> None:
        try:
            ahead = reader.ahead(_TIMEOUT_S)
        except WorkerError as error:
            _log.debug("The lag is not known: %s.", error)
            self._forget_rows()
            return
        behind: Counter[str] = Counter()
        for place, span in ahead.items():
            behind[place.topic] += span.length
        self.by_topic = behind
        self.seconds_by_topic = self._behind.look(time.monotonic(), ahead)

    def _forget_rows(self) -> None:
        self.by_topic, self.seconds_by_topic = {}, {}

    def _look_at_letters(self, letters: OpenLetters) -> None:
        self.open_letters = letters.count()

    def _forget_letters(self) -> None:
        self.open_letters = None

    def _closed_to(self) -> Mapping[TopicPartition, int]:
        """Who may not ask for the group's offsets is told of none, and reads all letters."""
        try:
            return self._closed.committed()
        except FatalError:
            return {}

    def _reader(self, *topics: str) -> SpanReader:
        return self._open_reader(self.of.worker, self._config, topics)


class OpenLetters:
    """Counts; each letter is read once, and none of those that were closed long ago."""

    def __init__(
        self,
        reader: SpanReader,
        census: Census,
        touched: Callable[[], Iterable[tuple[LetterId, bool]]],
        closed_to: Callable[[], Mapping[TopicPartition, int]],
    ) -> None:
        """``reader`` is of the dead-letter topic."""
        self._reader = reader
        self._census = census
        self._touched = touched
        self._closed_to = closed_to

    def count(self) -> int | None:
        """None if nobody can say."""
        try:
            reaches = self._reader.standings(_TIMEOUT_S)
            bounds = {place: reach.log for place, reach in reaches.items()}
            for records in self._reader.read(self._census.unread(bounds, self._closed_to)):
                self._census.take(records)
        except WorkerError as error:
            _log.debug("The number of open letters is not known: %s.", error)
            return None
        return self._census.count(self._touched(), bounds)
