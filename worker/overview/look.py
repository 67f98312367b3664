"""One look at a connector after another; of the state topic each look reads what is new."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from worker.clock import calendar
from worker.dlq.reading import letters_of
from worker.immutable import immutable
from worker.letters.counting import Census
from worker.model import TopicPartition
from worker.overview.letters import TouchedLetters
from worker.overview.spending import Spending
from worker.overview.standing import Letters, Standing, TopicLag
from worker.source.port import Span
from worker.spend.day import day_of, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from worker.dlq.port import Letter
    from worker.overview.port import Brokers, Group
    from worker.spend.amount import Limit
    from worker.spend.day import Now


@immutable
class Subject:
    """What to look at."""

    connector: str
    state_topic: str
    dlq_topic: str | None
    limit: Limit | None
    """The day's budget."""


class Overview:
    """Of one connector. One thread owns it."""

    def __init__(self, subject: Subject, brokers: Brokers, now: Now = utc_now) -> None:
        self._subject = subject
        self._brokers = brokers
        self._now = now
        self._log = TopicPartition(subject.state_topic, 0)
        self._spending = Spending()
        self._touched = TouchedLetters()
        self._next_offset = 0
        self._census = Census(letters_of(subject.connector))

    def look(self) -> Standing:
        """How it stands now.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        today = day_of(self._now())
        group = self._brokers.group()
        keeps_spend = self._read_state(today)
        limit, ahead = self._subject.limit, self._brokers.ahead()
        return Standing(
            connector=self._subject.connector,
            group=group,
            lags=_lags(ahead, group),
            letters=self._letters(),
            days=self._spending.days(today),
            keeps_spend=keeps_spend,
            budget=None if limit is None else self._spending.budget(limit, today),
            read=sum(span.start for span in ahead.values()),
        )

    def close(self) -> None:
        """Drop connections."""
        self._brokers.close()

    def _read_state(self, today: date) -> bool:
        """Whether there is a state topic."""
        bounds = self._brokers.bounds(self._log.topic).get(self._log)
        if bounds is None:
            return False
        if bounds.end < self._next_offset:  # it was made anew
            self._spending, self._touched, self._next_offset = Spending(), TouchedLetters(), 0
        span = Span(max(bounds.start, self._next_offset), bounds.end)
        for found in self._brokers.read({self._log: span}):
            self._spending.take(found, today)
            self._touched.take(found)
            self._next_offset = found[-1].offset + 1
        self._next_offset = bounds.end
        return True

    def _letters(self) -> Letters | None:
        topic = self._subject.dlq_topic
        if topic is None:
            return None
        bounds = self._brokers.bounds(topic)
        for found in self._brokers.read(self._census.unread(bounds, self._brokers.closed_to)):
            self._census.take(found)
        held = sum(span.length for span in bounds.values())
        newest = self._census.newest
        left = self._census.count(self._touched.all, bounds)
        return Letters(topic, held, left, (newest and newest.kind) or None, _time(newest))


def _lags(ahead: Mapping[TopicPartition, Span], group: Group) -> tuple[TopicLag, ...]:
    taken = {place for member in group.members for place in member.partitions}
    partitions = Counter(place.topic for place in ahead)
    held = Counter(place.topic for place in ahead if place in taken)
    behind: Counter[str] = Counter()
    for place, span in ahead.items():
        behind[place.topic] += span.length
    return tuple(
        TopicLag(topic, count, held[topic], behind[topic])
        for topic, count in sorted(partitions.items())
    )


def _time(letter: Letter | None) -> datetime | None:
    if letter is None or letter.came_ms is None:
        return None
    return calendar(letter.came_ms)
