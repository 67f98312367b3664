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
        if any(reach.log.end < self._seen.get(place, 0) for place, reach in ends.items()):
            self._seen, self._found = {}, Found()  # the topic was made anew
        new = self._mailbox.find(Selection(), ends, since=self._seen)
        self._seen = {place: reach.log.end for place, reach in ends.items()}
        starts = {place.partition: reach.log.start for place, reach in ends.items()}
        found = Found(ends=ends, strangers=self._found.strangers + new.strangers)
        found.all = [
            case
            for case in (*self._found.all, *new.all)
            if case.id.offset >= starts.get(case.id.partition, 0)
        ]
        found.refresh(self._mailbox.filing.standings())
        found.cases = [case for case in found.all if case.is_open]
        self._found = found
        return found
