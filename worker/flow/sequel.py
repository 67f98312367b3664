"""What came for a row after one of its changes, and what that leaves of the change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.flow.fold import fold
from worker.immutable import immutable
from worker.model import Op

if TYPE_CHECKING:
    from worker.model import Change, Position


@immutable
class Sequel:
    """Later changes of one row, in their order, folded as they come.

    A change that says the whole row, or that it is gone, overtakes what was before it. One that
    lacks columns (TOAST) does not: it is folded over it, as long as every record in between could
    be read.
    """

    overtaken_at: Position | None = None
    """Of the newest change that overtakes."""
    partial: Change | None = None
    """The changes that do not, folded."""
    is_cut: bool = False
    """Whether a record came that nobody could read: what came after it is not folded."""

    def then(self, change: Change) -> Sequel:
        """One more change."""
        if _overtakes(change):
            return replace(self, overtaken_at=change.position)
        if self.is_cut:
            return self
        partial = change if self.partial is None else fold([self.partial, change])
        return replace(self, partial=partial)

    def then_unread(self) -> Sequel:
        """A record that may have been about the row, and that nobody could read."""
        return replace(self, is_cut=True)

    def followed_by(self, later: Sequel) -> Sequel:
        """Both as one."""
        both = self if later.partial is None else self.then(later.partial)
        return replace(
            both,
            overtaken_at=later.overtaken_at or self.overtaken_at,
            is_cut=self.is_cut or later.is_cut,
        )

    def applied_to(self, change: Change) -> Change | None:
        """What the change is by now, with its last part's position; None if it was overtaken.

        After a removal any change overtakes: there is nothing that it could be a part of.
        """
        if self.overtaken_at is not None or (change.op.removes and self.partial is not None):
            return None
        return change if self.partial is None else fold([change, self.partial])

    @property
    def newest_at(self) -> Position | None:
        """Of the newest change that counts."""
        newest = self.partial.position if self.partial is not None else None
        return self.overtaken_at or newest


NOTHING_CAME = Sequel()


def _overtakes(change: Change) -> bool:
    return change.op is not Op.UPDATE or not change.unavailable
