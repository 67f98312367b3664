"""Closes letters without a replay, and marks how far the dead-letter topic is closed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.letters.standing import LetterState
from worker.triage.prefix import closed_prefix, gone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from worker.estimate.stored import Waiting
    from worker.letters.book import LetterBook
    from worker.letters.case import Case
    from worker.letters.standing import LetterId
    from worker.model import TopicPartition
    from worker.triage.mailbox import Found

_AT_ONCE = 1000
"""Letters written before it is waited for."""


@immutable
class Closing:
    """Writes to the book, and commits."""

    book: LetterBook
    commit: Callable[[Mapping[TopicPartition, int]], None]
    """Sets the offsets of the group whose lag shows what is open."""
    waiting: Waiting
    topic_ids: Callable[[], Collection[str]]
    """Of all topics of the cluster; none where it does not say."""

    def discard(self, cases: Iterable[Case], reason: str) -> None:
        """Close these; the reason stays on record. What is written stays so if this is stopped.

        Raises:
            RetriableError: the brokers are away.
            FatalError: they refuse.
        """
        left = iter(cases)
        while part := list(islice(left, _AT_ONCE)):
            for case in part:
                self.book.settle(case.id, LetterState.DISCARDED, reason)
            self._keep()

    def mark(self, found: Found) -> Sequence[Case]:
        """Commit the closed prefixes, and forget what the topic has no more.

        Returns:
            The letters that are open still.

        Raises:
            RetriableError: the brokers are away.
            FatalError: they refuse.
        """
        self.waiting("reading the state topic", self.book.sync)
        standings = self.book.standings()
        found.refresh(standings)
        if lost := [*gone(found, standings), *self._orphans(found, standings)]:
            self.book.forget(lost)
            self._keep()
        prefix = closed_prefix(found)
        self.waiting("committing what is closed", lambda: self.commit(prefix))
        return [case for case in found.all if case.is_open]

    def _orphans(self, found: Found, standings: Collection[LetterId]) -> list[LetterId]:
        """Letters of topics that were deleted.

        One that still exists under another name may be the connector's again.
        """
        former = {letter.topic_id for letter in standings}
        former -= {"", *(case.id.topic_id for case in found.all)}
        if not former:
            return []
        existing = self.waiting("looking for earlier dead-letter topics", self.topic_ids)
        if not existing:
            return []
        return [one for one in standings if one.topic_id in former.difference(existing)]

    def _keep(self) -> None:
        self.waiting("writing to the state topic", self.book.keep)
