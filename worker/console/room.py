"""The dead letters of one connector, looked at again and again, and put back from here."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.immutable import immutable
from worker.letters.standing import LetterState
from worker.model import TopicPartition
from worker.runtime.refusals import ConflictError
from worker.triage.outlook import in_order
from worker.triage.replay import Replay, homeless
from worker.triage.selection import Selection
from worker.triage.vigil import Vigil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from worker.letters.case import Case
    from worker.model import Record
    from worker.source.port import Reach
    from worker.triage.closing import Closing
    from worker.triage.mailbox import Found, Mailbox
    from worker.triage.outlook import Foresight, Outlook
    from worker.triage.replay import Terms

_log = logging.getLogger(__name__)

MOST = 20_000
"""Letters that are kept in memory, the newest ones."""
_WAIT_S = 900.0
"""For the answers to a replay; what is not answered then stays asked for."""
_EVERY_S = 1.0


def silent(_letters: int) -> None:
    """Nobody wants to know."""


@immutable
class Tools:
    """What is opened when it is needed, and closed soon."""

    mailbox: Callable[[], AbstractContextManager[Mailbox]]
    closing: Callable[[], AbstractContextManager[Closing]]
    """To write what becomes of letters."""
    foresight: Callable[[], AbstractContextManager[Foresight]]
    """To say what would become of them."""
    places: Callable[[], set[TopicPartition]]
    """The partitions that the connector reads."""


@immutable
class Asked:
    """What was asked for."""

    run: str
    letters: int
    homeless: int
    """Left out, as the connector does not read where they came from."""
    worn: int
    """Left out, as they are in quarantine."""


class Room:
    """Thread-safe: one after the other.

    Every method raises RetriableError while somebody is away, FatalError where somebody refuses.
    """

    def __init__(self, topic: str, tools: Tools, most: int = MOST) -> None:
        self.topic = topic
        self._tools = tools
        self._most = most
        self._lock = threading.RLock()
        self._opened = ExitStack()
        self._mailbox: Mailbox | None = None
        self._vigil: Vigil | None = None
        self._used_s = time.monotonic()
        self._attending: threading.Thread | None = None

    def look(self) -> Found:
        """The newest letters, as they stand now."""
        with self._lock:
            mailbox = self._open()
            if self._vigil is None:
                ends = mailbox.ends()
                begun = mailbox.find(Selection(), ends, since=_newest(ends, self._most))
                self._vigil = Vigil(mailbox, begun)
            return self._vigil.look()

    def at(self, partition: int, offset: int) -> tuple[Case, Record] | None:
        """One letter; None if there is none."""
        with self._lock:
            return self._open().at(TopicPartition(self.topic, partition), offset)

    def outlooks(self, selection: Selection, *, force: bool) -> list[Outlook]:
        """What a replay would do."""
        cases = [case for case in self.look().all if selection.fits(case)]
        with self._tools.foresight() as foresight:  # its connections are its own
            return in_order(foresight.of(cases, force=force, progress=silent))

    def replay(self, selection: Selection, terms: Terms) -> Asked:
        """Ask for letters; workers put them back, and any pod can tell how far they are.

        Raises:
            ConflictError: answers to another replay are waited for.
        """
        with self._lock, ExitStack() as leaving:
            if self._attending is not None and self._attending.is_alive():
                raise ConflictError("A replay of these letters is under way: wait for its end")
            closing = leaving.enter_context(self._tools.closing())
            cases = self._current(selection, closing)
            lost = homeless(cases, self._tools.places())
            worn = [] if terms.force else [c for c in cases if c.state is LetterState.QUARANTINED]
            left_out = {case.id for case in (*lost, *worn)}
            wanted = [case for case in cases if case.id not in left_out]
            if wanted:
                run = Replay.of(closing.book, wanted, closing.waiting)
                run.ask(terms)
                self._attend(leaving.pop_all(), closing, run)
            return Asked(terms.run, len(wanted), len(lost), len(worn))

    def discard(self, selection: Selection, reason: str) -> int:
        """Close what is meant and open; how many that was."""
        with self._lock, self._tools.closing() as closing:
            meant = [case for case in self._current(selection, closing) if case.is_open]
            closing.discard(meant, reason)
            self._mark(closing)
            return len(meant)

    def rest(self, idle_s: float) -> None:
        """Drop connections and letters if nobody has looked for so long."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if time.monotonic() - self._used_s >= idle_s:
                self._opened.close()
                self._mailbox = self._vigil = None
        finally:
            self._lock.release()

    def _open(self) -> Mailbox:
        self._used_s = time.monotonic()
        if self._mailbox is None:
            self._mailbox = self._opened.enter_context(self._tools.mailbox())
        return self._mailbox

    def _current(self, selection: Selection, closing: Closing) -> list[Case]:
        """As the state topic has them at this moment."""
        closing.waiting("reading the state topic", closing.book.sync)
        found = self.look()
        found.refresh(closing.book.standings())
        return [case for case in found.all if selection.fits(case)]

    def _mark(self, closing: Closing) -> None:
        """How far the topic is closed can be told by all of its letters alone."""
        mailbox = self._open()
        closing.mark(mailbox.find(Selection(), mailbox.ends()))

    def _attend(self, opened: ExitStack, closing: Closing, run: Replay) -> None:
        self._attending = threading.Thread(
            target=self._see_through, args=(opened, closing, run), name="replay", daemon=True
        )
        self._attending.start()

    def _see_through(self, opened: ExitStack, closing: Closing, run: Replay) -> None:
        """Wait for the answers, which the book reads by itself, then mark what is closed."""
        until_s = time.monotonic() + _WAIT_S
        with opened, suppress(WorkerError):
            while run.unanswered and time.monotonic() < until_s:
                time.sleep(_EVERY_S)
            with self._lock:
                self._mark(closing)
            _log.info("%s: replay ended, %s not answered.", self.topic, run.unanswered)


def _newest(ends: Mapping[TopicPartition, Reach], most: int) -> Mapping[TopicPartition, int]:
    """Where to begin, so that at most so many letters are read."""
    share = max(1, most // max(1, len(ends)))
    return {place: max(reach.log.start, reach.log.end - share) for place, reach in ends.items()}
