"""Dead letters that are asked for: the owner of their origin puts them back into the backlog.

The only writer of a row's partition knows what came after the dead change. What it has read is
scanned once for all letters of a job; what it receives from then on is watched until the letters
wait in the backlog, where newer changes find them. See ``docs/adr/0015-replays-by-owners.md``.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from worker.errors import FatalError, WorkerError
from worker.letters.standing import LetterState
from worker.model import Origin
from worker.pipeline import replay_verdict
from worker.pipeline.background import Background
from worker.pipeline.candidate import Replayed, Settlement
from worker.pipeline.patience import Interrupted
from worker.pipeline.replay_job import Job

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from concurrent.futures import Executor

    from worker.clock import Clock
    from worker.errors import RecordError
    from worker.flow.backlog import Backlog, Entry
    from worker.flow.ledger import Ledger, PartitionLedger
    from worker.letters.book import LetterBook
    from worker.letters.standing import LetterId, Standing
    from worker.model import Outcome, TopicPartition
    from worker.pipeline.background import Ended
    from worker.pipeline.candidate import Candidate
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
        self._inquiry = inquiry
        self._watch = watch
        self._ledger = ledger
        self._backlog = backlog
        self._rejects = rejects
        self._truncates = truncates
        self._counters = counters
        self._clock = clock
        self._asking: Background[Job] = Background("replays", pool=pool)
        self._questions: deque[Job] = deque()
        """Jobs that something has to be read for; one after the other."""
        self._jobs: dict[TopicPartition, Job] = {}
        self._under_way: defaultdict[PartitionLedger, set[LetterId]] = defaultdict(set)
        self._seen = -1
        self._look_at_s = math.inf

    @property
    def rows(self) -> int:
        """See the protocol."""
        if not self._book.has_asked:
            return 0
        return self._book.count_asked(self._ledger.partitions or None)

    def look_now(self) -> None:
        """See the protocol."""
        self._seen = -1

    def tick(self, room: int) -> None:
        """See the protocol."""
        self._book.flush()
        if not (self._book.has_asked or self._jobs or self._under_way):
            return
        self.drop_lost()
        for ended in self._asking.ended():
            self._go_on(ended)
        self._begin_due()
        self._ask()
        for job in list(self._jobs.values()):
            room -= self._release(job, room)

    def ended(self, entry: Replayed, outcome: Outcome, newest: Entry) -> None:
        """See the protocol."""
        settlement = replay_verdict.after(outcome, entry, newest)
        for candidate in entry.candidates:
            self._settle(entry.ledger, candidate.id, settlement)

    def failed(self, entry: Replayed, error: RecordError) -> None:
        """See the protocol. The old letter is closed once the new one is written."""
        for candidate in entry.candidates:
            self._put_back(candidate, entry.ledger, error)

    def drop_lost(self) -> None:
        """See the protocol."""
        for job in [one for one in self._jobs.values() if not one.ledger.is_open]:
            self._end(job)
        for ledger in [one for one, left in self._under_way.items() if not (one.is_open and left)]:
            del self._under_way[ledger]

    def close(self) -> None:
        """See the protocol."""
        self._inquiry.close()
        self._asking.close()

    # Beginning -------------------------------------------------------------------------------

    def _begin_due(self) -> None:
        now_s, version = self._clock.now_s(), self._book.version
        if version == self._seen and now_s < self._look_at_s:
            return
        self._seen, self._look_at_s = version, math.inf
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
        under_way: Collection[LetterId] = self._under_way.get(ledger, ())
        for letter, standing in self._book.asked(ledger.partition).items():
            if letter in under_way or standing.origin is None:
                continue
            if not _has_passed(ledger, standing.origin.offset):
                self._look_at_s = self._clock.now_s() + _LOOK_S
            elif len(due) < _MOST_LETTERS:
                due[letter] = standing
        return due

    def _begin(self, job: Job) -> None:
        self._jobs[job.place] = job
        self._under_way[job.ledger].update(job.asked)
        self._questions.append(job)

    def _ask(self) -> None:
        while self._questions and not self._asking.under_way:
            job = self._questions.popleft()
            if job.ledger.is_open:
                self._asking.begin(job, self._read)

    def _read(self, job: Job) -> None:
        """Beside the task's thread: first the letters, then what came after them."""
        if job.scanned_to is None:
            job.opened = self._inquiry.open(job.asked)
        else:
            with_key = [one for one in job.candidates if one.key is not None]
            self._inquiry.follow(with_key, job.ledger, job.scanned_to)

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
        for letter in self._under_way[job.ledger].intersection(job.asked):
            self._settle(job.ledger, letter, Settlement(LetterState.OPEN, note))
        self._end(job)

    def _scan(self, job: Job) -> None:
        opened = job.opened
        if opened is None:
            return
        for letter, settlement in opened.settled.items():
            self._settle(job.ledger, letter, settlement)
        under_way = self._under_way[job.ledger]
        under_way.difference_update(job.asked)
        under_way.update(candidate.id for candidate in opened.candidates)
        job.scanned_to = job.ledger.received_to or 0
        self._watch.begin(job.place, job.keys, job.scanned_to)
        self._questions.append(job)

    # Releasing -------------------------------------------------------------------------------

    def _release(self, job: Job, room: int) -> int:
        """How many letters went."""
        if not job.is_ready:
            return 0
        released = 0
        for bundle in job.release(room, self._clock.now_s()):
            released += len(bundle)
            self._send(bundle, job)
        if job.is_over:
            self._end(job)
        return released

    def _send(self, bundle: Iterable[Candidate], job: Job) -> None:
        entries: list[Replayed] = []
        for candidate in bundle:
            if self._book.standing(candidate.id).state is not LetterState.ASKED:
                self._under_way[job.ledger].discard(candidate.id)
                continue
            settlement = self._judge(candidate, job)
            if settlement is not None:
                self._settle(job.ledger, candidate.id, settlement)
            elif candidate.change is None and candidate.error is not None:
                self._put_back(candidate, job.ledger, candidate.error)
            elif not (entries and _stands_for(entries[-1], candidate)):
                entries.append(self._entry(candidate, job))
            else:
                entries[-1].candidates.append(candidate)
        for entry in entries:
            job.ledger.is_used = True
            self._backlog.add(entry)

    def _judge(self, candidate: Candidate, job: Job) -> Settlement | None:
        if candidate.key is None:
            return None
        watched = self._watch.find(job.place, candidate.key)
        return replay_verdict.before(candidate, watched, self._truncates)

    def _entry(self, candidate: Candidate, job: Job) -> Replayed:
        change = candidate.change
        applied = None if change is None else candidate.sequel.applied_to(change)
        if applied is None:
            raise AssertionError("what was overtaken or cannot be read is not written")
        entry = Replayed(applied, job.ledger, self._clock.now_s())
        entry.candidates = [candidate]
        entry.is_cut = candidate.sequel.is_cut
        if entry.last_gap >= candidate.offset:  # the tail has told of it
            entry.last_gap = -1
        return entry

    # Ending ----------------------------------------------------------------------------------

    def _put_back(self, candidate: Candidate, ledger: PartitionLedger, error: RecordError) -> None:
        change, letter = candidate.change, candidate.id
        returned = Settlement(LetterState.RETURNED, f"{error.kind}: it goes on as a newer letter")
        self._rejects.put_back(
            candidate.record,
            ledger,
            error,
            candidate.key,
            Origin() if change is None else change.origin,
            then=lambda: self._settle(ledger, letter, returned),
        )

    def _settle(self, ledger: PartitionLedger, letter: LetterId, settlement: Settlement) -> None:
        if ledger in self._under_way:
            self._under_way[ledger].discard(letter)
        is_closed = self._book.standing(letter).state.is_closed
        if is_closed and settlement.state is LetterState.OPEN:
            return  # somebody has discarded it meanwhile
        with contextlib.suppress(FatalError):  # ``flush`` raises it at the next tick
            self._book.settle(letter, settlement.state, settlement.note)
        self._counters.replays[settlement.state.value] += 1

    def _end(self, job: Job) -> None:
        """Its letters wait in the backlog or are settled, or stay asked for."""
        del self._jobs[job.place]
        self._watch.end(job.place, job.keys)
        if not job.is_ready:
            self._under_way[job.ledger].difference_update(job.asked)
        self.look_now()


def _has_passed(ledger: PartitionLedger, offset: int) -> bool:
    """Whether a record was read under this assignment or before it, or is not there at all."""
    received_to = ledger.received_to
    return received_to is not None and (offset < received_to or ledger.is_at_end)


def _stands_for(entry: Replayed, candidate: Candidate) -> bool:
    """Whether a later letter of the row is folded over an earlier one."""
    change = candidate.change
    return change is not None and change.position.offset <= entry.change.position.offset
