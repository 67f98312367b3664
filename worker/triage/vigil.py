"""One look at the letters after another; each reads what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.triage.mailbox import Found
from worker.triage.selection import Selection

if TYPE_CHECKING:
    from worker.triage.mailbox import Mailbox


class Vigil:
    """One thread owns it."""

    def __init__(self, mailbox: Mailbox, found: Found | None = None) -> None:
        """``found`` is what was seen already."""
        self._mailbox = mailbox
        self._found = found or Found()
        self._seen = {place: reach.log.end for place, reach in self._found.ends.items()}

    def look(self) -> Found:
        """All letters, as they stand now.

        Raises:
            RetriableError: the brokers do not answer.
            FatalError: they do not let us in.
        """
        ends = self._mailbox.ends()
        if any(place not in ends or ends[place].log.end < at for place, at in self._seen.items()):
            self._begin_again()
        new = self._mailbox.find(Selection(), ends, since=self._seen)
        if len(self._found.topic_ids | new.topic_ids) > 1:
            self._begin_again()
            new = self._mailbox.find(Selection(), ends)
        self._seen = {place: reach.log.end for place, reach in ends.items()}
        starts = {place.partition: reach.log.start for place, reach in ends.items()}
        found = Found(
            ends=ends,
            strangers=self._found.strangers + new.strangers,
            topic_ids=self._found.topic_ids | new.topic_ids,
        )
        found.all = [
            case
            for case in (*self._found.all, *new.all)
            if case.id.offset >= starts.get(case.id.partition, 0)
        ]
        found.refresh(self._mailbox.filing.standings())
        found.cases = [case for case in found.all if case.is_open]
        self._found = found
        return found

    def _begin_again(self) -> None:
        """The topic was made anew."""
        self._seen, self._found = {}, Found()
