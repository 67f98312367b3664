"""What becomes of a dead letter: by what came after it, and by how its change ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.letters.standing import LetterState
from worker.model import Outcome
from worker.pipeline.candidate import Settlement

if TYPE_CHECKING:
    from worker.flow.entry import Entry
    from worker.pipeline.candidate import Candidate
    from worker.pipeline.truncates import Truncates
    from worker.pipeline.watch import Watched

_ENDS = {
    Outcome.STALE: Settlement(LetterState.SUPERSEDED, "the index is ahead of it"),
    Outcome.SUPERSEDED: Settlement(LetterState.SUPERSEDED, "its row is gone"),
    Outcome.FILTERED: Settlement(LetterState.REPLAYED, "the row has no place in the index"),
}
_REPLAYED = Settlement(LetterState.REPLAYED)


def before(
    candidate: Candidate, watched: Watched | None, truncates: Truncates
) -> Settlement | None:
    """What becomes of it without being written; None if nothing speaks against that.

    What the watch has is added to what its partition told.
    """
    if watched is not None:
        candidate.sequel = candidate.sequel.followed_by(watched.sequel)
    change, sequel = candidate.change, candidate.sequel
    is_overtaken = (
        sequel.overtaken_at is not None if change is None else sequel.applied_to(change) is None
    )
    if is_overtaken:
        at = sequel.newest_at
        return Settlement(LetterState.SUPERSEDED, "" if at is None else f"by offset {at.offset}")
    if change is not None and truncates.covers(change):
        return Settlement(LetterState.SUPERSEDED, "its table was truncated after it")
    if candidate.verdict is None and watched is not None and watched.is_elsewhere:
        return Settlement(LetterState.OPEN, "its row has changed in another partition")
    return candidate.verdict


def after(outcome: Outcome, entry: Entry, newest: Entry) -> Settlement:
    """What became of an entry in work that ended with ``newest``."""
    if newest is not entry:
        return Settlement(LetterState.SUPERSEDED, f"by offset {newest.change.position.offset}")
    return _ENDS.get(outcome, _REPLAYED)
