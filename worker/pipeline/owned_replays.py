"""Dead letters that are asked for: the owner of their origin puts them back into the backlog.

The only writer of a row's partition knows what came after the dead change. What it has read is
scanned once for all letters of a job; what it receives from then on is watched until the letters
wait in the backlog, where newer changes find them. See ``docs/adr/0015-replays-by-owners.md``.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.letters.standing import LetterState
from worker.pipeline import replay_verdict
from worker.pipeline.candidate import Settlement
from worker.pipeline.patience import Interrupted
from worker.pipeline.replay_ending import Endings
from worker.pipeline.replay_job import Job
from worker.pipeline.replay_questions import Questions
from worker.pipeline.replay_release import Release

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Executor

    from worker.clock import Clock
    from worker.errors import RecordError
    from worker.flow.backlog import Backlog
    from worker.flow.entry import Entry
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.letters.book import LetterBook
    from worker.letters.standing import LetterId, Standing
    from worker.model import Outcome, TopicPartition
    from worker.pipeline.background import Ended
    from worker.pipeline.candidate import Replayed
    from worker.pipeline.inquiry import Inquiry
    from worker.pipeline.rejects import Rejects
    from worker.pipeline.truncates import Truncates
    from worker.pipeline.watch import Watch
    from worker.telemetry.counters import Counters

_log = logging.getLogger(__name__)

_MOST_LETTERS = 500
"""Of a job."""
_MOST_JOBS = 8
"""At once, each for a partition."""
_LOOK_S = 0.5
"""When to look again for letters whose record was not read yet."""
_AHEAD = "the worker goes on from an older offset, and has not read so far yet"


class OwnedReplays:
    """See ``Replays``."""

    def __init__(  # noqa: PLR0913 - it is where replays meet the rest of the task
        self,
        *,
        book: LetterBook,
        inquiry: Inquiry,
        watch: Watch,
        ledger: Ledger,
        backlog: Backlog,
        rejects: Rejects,
        truncates: Truncates,
        counters: Counters,
        clock: Clock,
        pool: Executor | None = None,
    ) -> None:
        self._book = book
        self._watch = watch
        self._ledger = ledger
        self._clock = clock
        self._endings = Endings(book, rejects, counters)
        self._releasing = Release(book, watch, truncates, backlog, self._endings, clock)
        self._questions = Questions(inquiry, pool)
        self._jobs: dict[TopicPartition, Job] = {}
        self._seen = -1
        self._look_at_s = math.inf
        self._ahead: set[TopicPartition] = set()
        """Partitions with a letter whose record was not read yet."""

    @property
    def rows(self) -> int:
        """See the protocol."""
        if not self._book.has_asked:
            return 0
        return self._book.count_asked(self._ledger.partitions or None)

    def look_now(self) -> None:
        """See the protocol."""
        self._seen = -1
        self._book.delays.look_again()

    def tick(self, room: int, delay: str) -> None:
        """See the protocol."""
        self._book.flush()
        self._explain(delay)
        if not self._is_busy:
            return
        self.drop_lost()
        for ended in self._questions.answered():
            self._go_on(ended)
        self._begin_due()
        self._questions.go_on()
        for job in list(self._jobs.values()):
            room -= self._release(job, room)

    def hold(self, why: str) -> None:
        """See the protocol."""
        self._book.flush()
        self._explain(why)

    def ended(self, entry: Replayed, outcome: Outcome, newest: Entry) -> None:
        """See the protocol."""
        settlement = replay_verdict.after(outcome, entry, newest)
        for candidate in entry.candidates:
            self._endings.settle(entry.ledger, candidate.id, settlement)

    def failed(self, entry: Replayed, error: RecordError) -> None:
        """See the protocol. The old letter is closed once the new one is written."""
        for candidate in entry.candidates:
            self._endings.put_back(candidate, entry.ledger, error)

    def give_up(self, partitions: Collection[TopicPartition]) -> None:
        """See the protocol."""
        for place in partitions:
            self._book.delays.say(place, "")

    def drop_lost(self) -> None:
        """See the protocol."""
        for job in [one for one in self._jobs.values() if not one.ledger.is_open]:
            self._end(job)
        self._endings.drop_lost()

    def close(self) -> None:
        """See the protocol."""
        self._questions.close()

    @property
    def _is_busy(self) -> bool:
        return bool(self._book.has_asked or self._jobs or self._endings.are_due)

    def _explain(self, delay: str) -> None:
        """Tell who asked why nothing happens, and once it does."""
        delays = self._book.delays
        if not (self._book.has_asked or delays.are_known):
            return
        for ledger in self._ledger.all:
            place = ledger.partition
            waits = self._book.count_asked((place,)) > 0
            why = delay or (_AHEAD if place in self._ahead else "")
            delays.say(place, why if waits else "")

    def _begin_due(self) -> None:
        now_s, version = self._clock.now_s(), self._book.version
        if version == self._seen and now_s < self._look_at_s:
            return
        self._seen, self._look_at_s = version, math.inf
        self._ahead.clear()
        for ledger in self._ledger.all:
            job = self._jobs.get(ledger.partition)
            if job is not None:
                job.hear(self._book.asked(ledger.partition), now_s)
                continue
            due = self._due(ledger)
            if due and len(self._jobs) < _MOST_JOBS:
                self._begin(Job(ledger, due))
            elif due:
                self._look_at_s = now_s + _LOOK_S

    def _due(self, ledger: PartitionLedger) -> dict[LetterId, Standing]:
        """What may begin: the record of a letter that was not read yet comes by itself."""
        due: dict[LetterId, Standing] = {}
        under_way = self._endings.under_way(ledger)
        for letter, standing in self._book.asked(ledger.partition).items():
            if letter in under_way or standing.origin is None:
                continue
            if not _has_passed(ledger, standing.origin.offset):
                self._look_at_s = self._clock.now_s() + _LOOK_S
                if ledger.received_to is not None:
                    self._ahead.add(ledger.partition)
            elif len(due) < _MOST_LETTERS:
                due[letter] = standing
        return due

    def _begin(self, job: Job) -> None:
        self._jobs[job.place] = job
        self._endings.begin(job.ledger, job.asked.keys())
        self._questions.put(job)

    def _go_on(self, ended: Ended[Job]) -> None:
        job = ended.subject
        if self._jobs.get(job.place) is not job:
            return
        if isinstance(ended.error, Interrupted):
            self._end(job)
        elif ended.error is not None:
            self._give_up(job, ended.error)
        elif job.scanned_to is None:
            self._scan(job)
        else:
            job.line_up(self._clock.now_s())

    def _give_up(self, job: Job, error: BaseException) -> None:
        """A letter that cannot be read must not end the task: an operator is told, and asks again.

        Raises:
            BaseException: the process is about to end.
        """
        if not isinstance(error, Exception):
            raise error
        if not isinstance(error, WorkerError):
            _log.error("A replay failed.", exc_info=error)
        note = (
            str(error) if isinstance(error, WorkerError) else f"it failed: {type(error).__name__}"
        )
        for letter in self._endings.under_way(job.ledger) & job.asked.keys():
            self._endings.settle(job.ledger, letter, Settlement(LetterState.OPEN, note))
        self._end(job)

    def _scan(self, job: Job) -> None:
        opened = job.opened
        if opened is None:
            return
        for letter, settlement in opened.settled.items():
            self._endings.settle(job.ledger, letter, settlement)
        self._endings.leave(job.ledger, job.asked.keys())
        self._endings.begin(job.ledger, [candidate.id for candidate in opened.candidates])
        job.scanned_to = job.ledger.received_to or 0
        self._watch.begin(job.place, job.keys, job.scanned_to)
        self._questions.put(job)

    def _release(self, job: Job, room: int) -> int:
        """How many letters went."""
        if not job.is_ready:
            return 0
        released = 0
        for bundle in job.release(room, self._clock.now_s()):
            released += len(bundle)
            self._releasing.send(bundle, job)
        if job.is_over:
            self._end(job)
        return released

    def _end(self, job: Job) -> None:
        """Its letters wait in the backlog or are settled, or stay asked for."""
        del self._jobs[job.place]
        self._watch.end(job.place, job.keys)
        if not job.is_ready:
            self._endings.leave(job.ledger, job.asked.keys())
        self.look_now()


def _has_passed(ledger: PartitionLedger, offset: int) -> bool:
    """Whether a record was read under this assignment or before it, or is not there at all."""
    received_to = ledger.received_to
    return received_to is not None and (offset < received_to or ledger.is_at_end)
