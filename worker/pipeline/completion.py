"""Rows that lack columns nobody here knows: read from the source database, where one is named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.document.lacking import UNAVAILABLE
from worker.errors import RecordError
from worker.flow.second_look import Again
from worker.immutable import immutable
from worker.model import Outcome
from worker.reselect.port import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from worker.model import Change, Point
    from worker.pipeline.documents import Documents
    from worker.pipeline.item import Item
    from worker.pipeline.later import LaterRecords
    from worker.pipeline.patience import Patience
    from worker.reselect.port import Answer, Reselector

_GIVES_WAY_S = 60.0
"""At most so long a change that cannot be completed waits for the one that overtakes it: not for
ever, as what waits takes room."""
_LOOK_EVERY_S = 5.0
"""If that one does not come."""


@immutable
class Completion:
    """Completes changes by what the source database holds now."""

    documents: Documents
    reselector: Reselector | None
    patience: Patience
    later: LaterRecords | None = None
    """None: what cannot be completed fails at once."""

    def complete(self, items: Iterable[Item], looked_s: float) -> list[Item]:
        """Read what is missing for items that failed for lack of it.

        Half of a key change that still lacks its text, though its other half is long done, has come
        again; it fails only if nothing that came later overtakes it, and if nothing is parked for
        it that may also be of another row.

        Returns:
            Those that have a document now and have to be judged again.
        """
        lacking = [item for item in items if _lacks_columns(item)]
        completed = self._reselect(lacking)
        self._read_on([item for item in lacking if _may_be_overtaken(item)], looked_s)
        self._read_back([item for item in lacking if _may_come_again(item)])
        return [*completed, *self._by_doubtful(lacking)]

    def _by_doubtful(self, lacking: Iterable[Item]) -> Iterator[Item]:
        for item in lacking:
            if item.doubtful is not None and _lacks_columns(item):
                self._build(item, item.doubtful)
                if item.outcome is None:
                    yield item

    def _read_on(self, items: Iterable[Item], looked_s: float) -> None:
        left = {item.change.key: item for item in items}
        if self.later is None or not left:
            return
        overtaken = self.later.overtaken([item.change for item in left.values()])
        for key, later in overtaken.items():
            _give_way(left[key], later, looked_s)

    def _read_back(self, items: Iterable[Item]) -> None:
        """What was sent again is as good as done: all that came after it comes after it again."""
        left = {item.change.key: item for item in items}
        if self.later is None or not left:
            return
        for key in self.later.sent_again([item.change for item in left.values()]):
            left[key].outcome = Outcome.STALE

    def _reselect(self, lacking: Sequence[Item]) -> list[Item]:
        reselector = self.reselector
        if reselector is None or not lacking:
            return []
        wanted = [Missing.of(item.change, self.documents.lacking(item.change)) for item in lacking]
        answers = self.patience(
            "reading missing columns from the source database", lambda: reselector.read(wanted)
        )
        for item, answer in zip(lacking, answers, strict=True):
            self._take(item, answer)
        return [item for item in lacking if item.outcome is None]

    def _take(self, item: Item, answer: Answer) -> None:
        """The row may be newer than the change; then the change that made it so is on its way."""
        if answer is None:
            item.outcome = Outcome.STALE  # the change that took the row away is on its way
            return
        if isinstance(answer, RecordError):
            item.outcome = answer
            return
        change = item.change
        item.change = replace(
            change,
            after={**change.after, **answer},
            unavailable=change.unavailable.difference(answer),
        )
        self._build(item)

    def _build(self, item: Item, basis: Point | None = None) -> None:
        try:
            item.document = self.documents.build(item.change, basis)
            item.is_partial, item.outcome = False, None
        except RecordError as error:
            item.outcome = error


def _give_way(item: Item, later: Change, looked_s: float) -> None:
    """What it lacks nobody needs any more.

    It is done with the later record as one, so that its offset is not committed while the row is
    in the index neither as it was nor as it is; unless that takes too long.
    """
    entries = tuple(item.work.entries)
    since_s = next((one.gives_way_s for one in entries if one.gives_way_s is not None), looked_s)
    may_wait = looked_s - since_s < _GIVES_WAY_S and not isinstance(item.work.newest, Again)
    if later.op.removes or not may_wait or not later.position.comparable(item.change.position):
        item.outcome = Outcome.STALE
        return
    item.outcome, item.gives_way_s = None, since_s
    item.look_again_s = looked_s + _LOOK_EVERY_S


def _may_be_overtaken(item: Item) -> bool:
    """Not where what came after it has failed, and it takes that one's place."""
    has_failed = item.work.newest.is_cut
    return item.former is not None and _lacks_columns(item) and not has_failed


def _may_come_again(item: Item) -> bool:
    """Whether Debezium may have sent it before: there is nothing that it could be completed by."""
    is_bare = item.former is not None or item.stored is None
    return is_bare and _lacks_columns(item) and not item.work.newest.is_cut


def _lacks_columns(item: Item) -> bool:
    return isinstance(item.outcome, RecordError) and item.outcome.kind == UNAVAILABLE
