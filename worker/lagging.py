"""What a connector has before it: rows to read, and dead letters to look after."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from worker.config import kafka
from worker.dlq.reading import letters_of
from worker.errors import FatalError, WorkerError
from worker.letters.counting import Census
from worker.source.group_offsets import KafkaGroupOffsets
from worker.source.kafka import KafkaSourceSettings
from worker.source.subscription import Subscription
from worker.telemetry.behind import Behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.build import Assembly
    from worker.letters.standing import LetterId
    from worker.model import TopicPartition
    from worker.source.port import SpanReader

_log = logging.getLogger(__name__)

_EVERY_S = 15.0
_TIMEOUT_S = 10.0


class Lag:
    """Asked for beside the group, in a thread of its own."""

    def __init__(self, of: Assembly) -> None:
        self.of = of
        self.by_topic: Mapping[str, int] = {}
        """Rows; empty while nobody knows."""
        self.seconds_by_topic: Mapping[str, float] = {}
        self.open_letters: int | None = None
        """None while nobody knows, and where there is no dead-letter topic."""
        self._behind = Behind()
        self._config = config = of.config
        admin = kafka.admin_properties(of.worker, config)
        self._closed = KafkaGroupOffsets(config.dlq_group_id, admin)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lag-{config.name}", daemon=True)

    def watch(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, soon."""
        self._stop.set()

    def _run(self) -> None:
        topic = self._config.dlq_topic
        with closing(self._reader(self._config.subscription)) as rows:
            if topic is None:
                self._look(rows, None)
                return
            with closing(self._reader((topic,))) as letters:
                census = Census(letters_of(self._config.name))
                touched = self.of.notes.touched_letters
                self._look(rows, OpenLetters(letters, census, touched, self._closed_to))

    def _look(self, rows: SpanReader, letters: OpenLetters | None) -> None:
        while not self._stop.is_set():
            self._look_at_rows(rows)
            self.open_letters = None if letters is None else letters.count()
            self._stop.wait(_EVERY_S)

    def _look_at_rows(self, reader: SpanReader) -> None:
        try:
            ahead = reader.ahead(_TIMEOUT_S)
        except WorkerError as error:
            _log.debug("The lag is not known: %s.", error)
            self.by_topic, self.seconds_by_topic = {}, {}
            return
        behind: Counter[str] = Counter()
        for place, span in ahead.items():
            behind[place.topic] += span.length
        self.by_topic = behind
        self.seconds_by_topic = self._behind.look(time.monotonic(), ahead)

    def _closed_to(self) -> Mapping[TopicPartition, int]:
        """Who may not ask for the group's offsets is told of none, and reads all letters."""
        try:
            return self._closed.committed()
        except FatalError:
            return {}

    def _reader(self, topics: tuple[str, ...]) -> SpanReader:
        from worker.source.kafka_spans import KafkaSpanReader  # noqa: PLC0415 - few runs need it

        worker, config = self.of.worker, self._config
        return KafkaSpanReader(
            KafkaSourceSettings(
                consumer=kafka.reader_properties(worker, config),
                admin=kafka.admin_properties(worker, config),
                subscription=Subscription(topics),
            )
        )


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
            for records in self._reader.read(self._census.unread(bounds, self._closed_to())):
                self._census.take(records)
        except WorkerError as error:
            _log.debug("The number of open letters is not known: %s.", error)
            return None
        return self._census.count(self._touched(), bounds)
