"""Gathers everything about a row. It reads only: nothing is joined, committed, embedded, made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import ConfigError, FatalError, RecordError, RetriableError
from worker.explain.explanation import Entry, Explanation, Text
from worker.explain.search import Search
from worker.explain.step import Step
from worker.immutable import immutable
from worker.model import Change, Op, Record, TopicPartition
from worker.pipeline.parking import Departure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.document.template import Condition
    from worker.estimate.meter import Meter
    from worker.estimate.stored import Waiting
    from worker.estimate.survey import Texts
    from worker.explain.letters import Letters
    from worker.explain.reading import Reading
    from worker.explain.rehearsal import Rehearsal, Rehearsed
    from worker.explain.search import Progress, Trail
    from worker.explain.wanted import Wanted
    from worker.letters.case import Case
    from worker.model import Value
    from worker.pipeline.parking import Parking
    from worker.source.port import Reach, SpanReader
    from worker.store.port import Store

_ASK_S = 10.0


@immutable
class Ground:
    """What will be read."""

    topic: str
    topics: Mapping[TopicPartition, Reach]
    dead_letters: Mapping[TopicPartition, Reach]

    def offsets(self, limit: int | None) -> int:
        """How many offsets at most."""
        lengths = sum(one.log.length for one in self.topics.values())
        letters = sum(one.log.length for one in self.dead_letters.values())
        return (lengths if limit is None else min(limit, lengths)) + letters


@immutable
class Explainer:
    """Looks at topic, dead letters and index, for one connector."""

    connector: str
    dead_letter_topic: str | None
    reader: SpanReader
    letters: Letters | None
    """None: a bad record fails the task."""
    reading: Reading
    """As the worker's."""
    whole_rows: Reading
    """The same, with all columns of a row."""
    documents: Texts
    when: Condition | None
    rehearsal: Rehearsal
    store: Store
    parking: Parking
    meter: Meter
    waiting: Waiting

    def ground(self, topic: str | None) -> Ground:
        """Where to look; ``topic`` may be left out if there is one.

        Raises:
            ConfigError: there are several, or not this one.
            RetriableError: no topic exists, or the brokers do not answer.
            FatalError: they refuse.
        """
        found = self.reader.standings(_ASK_S)
        topics = sorted({place.topic for place in found})
        if not topics:
            raise RetriableError(
                "none of the topics exists: see topics (or topics.regex) and bootstrap.servers"
            )
        chosen = _chosen(topics, topic)
        return Ground(
            chosen,
            {place: one for place, one in found.items() if place.topic == chosen},
            {} if self.letters is None else self.letters.reader.standings(_ASK_S),
        )

    def explain(
        self, wanted: Wanted, ground: Ground, limit: int | None, progress: Progress
    ) -> Explanation:
        """Everything about the row.

        Raises:
            ConfigError: the topic's keys have other columns.
            RetriableError: something is away.
            FatalError: something refuses us.
        """
        trail = Search(self.reader, self.reading, wanted).find(ground.topics, limit, progress)
        steps = [Step.of(record, self.reading) for record in trail.records]
        newest = next((step for step in steps if step.record is trail.newest), None)
        standing = _standing(ground, newest)
        rehearsed = self._rehearse(_due(steps, newest, standing))
        change = rehearsed.change if rehearsed else None
        return Explanation(
            connector=self.connector,
            dead_letter_topic=self.dead_letter_topic,
            wanted=wanted.given,
            topic=ground.topic,
            trail=trail,
            steps=steps,
            newest=newest,
            standing=standing,
            row=self.row(newest),
            when=self._when(change),
            text=self.text(rehearsed),
            entry=self._entry(change or _stand_in(wanted, ground, trail), steps),
            letters=self._letters(wanted, ground, trail, progress),
            rehearsed=rehearsed,
        )

    def _rehearse(self, steps: Sequence[Step]) -> Rehearsed | None:
        return self.rehearsal.of(steps) if any(step.change for step in steps) else None

    def _letters(
        self, wanted: Wanted, ground: Ground, trail: Trail, progress: Progress
    ) -> Sequence[Case]:
        if self.letters is None:
            return ()
        return self.letters.find(
            ground.dead_letters, wanted, {ground.topic}, trail.records, progress
        )

    def row(self, newest: Step | None) -> Mapping[str, Value] | None:
        """All columns; those that the worker reads, if another one is broken."""
        if newest is None or newest.change is None or newest.change.op.removes:
            return None
        whole = Step.of(newest.record, self.whole_rows).change
        return (whole or newest.change).after

    def _when(self, change: Change | None) -> bool | None:
        when = self.when
        if when is None or change is None or change.op.removes:
            return None
        if not change.unavailable.isdisjoint(when.columns):
            return None
        try:
            return when.holds(change.after)
        except RecordError:
            return None

    def text(self, rehearsed: Rehearsed | None) -> Text | None:
        """What is embedded for the row; None if it has none, or if nobody can know."""
        if rehearsed is None or rehearsed.change.op.removes:
            return None
        try:
            text = self.documents.text_of(rehearsed.change)
        except (RecordError, FatalError):
            return None
        return Text(text, self.meter([text])[0]) if text else None

    def _entry(self, change: Change, steps: Sequence[Step]) -> Entry | None:
        try:
            address = self.documents.target(change)
            places = list(self._departures(change, steps))
        except RecordError:
            return None
        namespace, point_id = address
        points = self.waiting(
            "fetching from the store", lambda: self.store.fetch(namespace, [point_id])
        )
        parked = self.waiting("looking for moved points", lambda: self.parking.find(places))
        return Entry(
            address,
            points.get(point_id),
            next((parked[one] for one in places if one in parked), None),
        )

    def _departures(self, change: Change, steps: Sequence[Step]) -> Iterator[Departure]:
        """Under what a point of the row may be parked: when it left this key, or its old one."""
        changes = [change, *(step.change for step in reversed(steps) if step.change is not None)]
        for one in changes:
            former = self.documents.former(one)
            if former is not None:
                yield Departure.of(former, one)
            if one.moves_away:
                yield Departure.of(self.documents.target(one), one)


def _chosen(topics: Sequence[str], topic: str | None) -> str:
    if topic is None and len(topics) == 1:
        return topics[0]
    if topic is None:
        raise ConfigError(
            f"the connector has {len(topics)} topics; choose by --topic: {', '.join(topics)}"
        )
    if topic not in topics:
        raise ConfigError(f"--topic: the connector has no {topic!r}, but {', '.join(topics)}")
    return topic


def _standing(ground: Ground, newest: Step | None) -> Reach | None:
    if newest is None:
        return None
    return ground.topics[_place(newest)]


def _place(step: Step) -> TopicPartition:
    return TopicPartition(step.record.topic, step.record.partition)


def _due(steps: Sequence[Step], newest: Step | None, standing: Reach | None) -> Sequence[Step]:
    """The records that will be, or were, done with the newest one; and those that are broken.

    What the group has not read waits together. Of what it has read the newest record stands alone,
    but a tombstone goes with its delete.
    """
    if newest is None or standing is None or newest.change is None:
        return ()
    lane = [step for step in steps if _place(step) == _place(newest)]
    begin = min(standing.next_offset, newest.record.offset)
    if begin == newest.record.offset and newest.change.op is Op.TOMBSTONE:
        begin = lane[-2].record.offset if len(lane) > 1 else begin
    return [step for step in lane if step.error or step.record.offset >= begin]


def _stand_in(wanted: Wanted, ground: Ground, trail: Trail) -> Change:
    """A change of a row without a readable record, to ask for its id."""
    record = trail.newest or Record(ground.topic, 0, 0, None, None)
    key = trail.key or wanted.as_key(ground.topic, trail.example)
    return Change(record, key, Op.TOMBSTONE, {})
