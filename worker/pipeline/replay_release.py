"""Dead letters whose time has come: into the backlog, or to an end without being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.letters.standing import LetterState
from worker.pipeline import replay_verdict
from worker.pipeline.candidate import Replayed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.clock import Clock
    from worker.flow.backlog import Backlog
    from worker.letters.book import LetterBook
    from worker.pipeline.candidate import Candidate, Settlement
    from worker.pipeline.replay_ending import Endings
    from worker.pipeline.replay_job import Job
    from worker.pipeline.truncates import Truncates
    from worker.pipeline.watch import Watch


@immutable
class Release:
    """Judges letters by what came after them up to this moment; belongs to the task's thread."""

    book: LetterBook
    watch: Watch
    truncates: Truncates
    backlog: Backlog
    endings: Endings
    clock: Clock

    def send(self, bundle: Iterable[Candidate], job: Job) -> None:
        """Let the letters of a row go, in the order of their offsets."""
        entries: list[Replayed] = []
        for candidate in bundle:
            if self.book.standing(candidate.id).state is not LetterState.ASKED:
                self.endings.leave(job.ledger, (candidate.id,))
                continue
            settlement = self._judge(candidate, job)
            if settlement is not None:
                self.endings.settle(job.ledger, candidate.id, settlement)
            elif candidate.change is None and candidate.error is not None:
                self.endings.put_back(candidate, job.ledger, candidate.error)
            elif not (entries and _stands_for(entries[-1], candidate)):
                entries.append(self._entry(candidate, job))
            else:
                entries[-1].candidates.append(candidate)
        for entry in entries:
            job.ledger.is_used = True
            self.backlog.add(entry)

    def _judge(self, candidate: Candidate, job: Job) -> Settlement | None:
        if candidate.key is None:
            return None
        watched = self.watch.find(job.place, candidate.key)
        return replay_verdict.before(candidate, watched, self.truncates)

    def _entry(self, candidate: Candidate, job: Job) -> Replayed:
        change = candidate.change
        applied = None if change is None else candidate.sequel.applied_to(change)
        if applied is None:
            raise AssertionError("what was overtaken or cannot be read is not written")
        entry = Replayed(applied, job.ledger, self.clock.now_s())
        entry.candidates = [candidate]
        entry.is_cut = candidate.sequel.is_cut
        if entry.last_gap >= candidate.offset:  # the tail has told of it
            entry.last_gap = -1
        return entry


def _stands_for(entry: Replayed, candidate: Candidate) -> bool:
    """Whether a later letter of the row is folded over an earlier one."""
    change = candidate.change
    return change is not None and change.position.offset <= entry.change.position.offset
