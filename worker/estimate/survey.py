"""Batches against the index: which texts have to be embedded. The decision is the pipeline's."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Protocol

from worker.document.lacking import UNAVAILABLE
from worker.errors import RecordError
from worker.estimate.keys import RowTexts, digest_of
from worker.estimate.tally import Ending
from worker.immutable import immutable
from worker.pipeline.cutting import Size, cut
from worker.pipeline.decide import is_stale
from worker.pipeline.documents import Documents
from worker.pipeline.held import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    import numpy as np

    from worker.estimate.meter import Meter
    from worker.estimate.plan import Plan
    from worker.estimate.stored import Address, StoredPoints
    from worker.estimate.tally import Tally
    from worker.flow.entry import Work
    from worker.model import Change, Document, Point
    from worker.pipeline.cutting import Measure

_MOST_UNDER_WAY = 16
"""Batches whose points are being fetched."""


class Texts(Documents, Protocol):
    """What a survey needs of the document step."""

    def text_of(self, change: Change) -> str:
        """What would be embedded; empty if the row must not be in the index.

        Raises:
            RecordError: the row cannot become a text.
        """
        ...

    def split(self, text: str) -> Sequence[str]:
        """What is embedded for a text: itself, or its chunks."""
        ...


@immutable(eq=False)
class _Row:
    """One row of a batch."""

    work: Work
    address: Address
    document: Document | None
    digest: int
    """Stands for the row."""


class Survey:
    """Remembers what the index will hold after each batch. Belongs to one thread."""

    def __init__(
        self, documents: Texts, stored: StoredPoints, meter: Meter, measure: Measure, tally: Tally
    ) -> None:
        self._documents = documents
        self._stored = stored
        self._meter = meter
        self._measure = measure
        self._tally = tally
        self._known = RowTexts()
        self._under_way: deque[tuple[list[_Row], Plan, Future[Mapping[Address, Point]]]] = deque()

    def add(self, batch: Sequence[Work], plan: Plan) -> None:
        """Look at a batch once the store has said what it holds."""
        rows = list(self._rows(batch))
        unknown = [row.address for row in rows if not self._known.has(row.digest)]
        self._under_way.append((rows, plan, self._stored.ask(unknown)))
        while len(self._under_way) > _MOST_UNDER_WAY:
            self._settle_first()

    def settle(self) -> None:
        """Wait for all batches."""
        while self._under_way:
            self._settle_first()

    @property
    def newest(self) -> tuple[int, int]:
        """Texts, and at least so many tokens, if every row were embedded once, as it is now."""
        return self._known.newest()

    def _rows(self, batch: Sequence[Work]) -> Iterator[_Row]:
        for work in batch:
            self._tally.end(Ending.SUPERSEDED, len(work.entries) - 1)
            try:
                yield self._row(work)
            except RecordError as error:
                if error.kind == UNAVAILABLE:  # mostly an update that left the text alone
                    self._tally.end(Ending.IN_INDEX)
                    continue
                self._tally.failures[error.kind] += 1
                self._tally.end(Ending.FAILED)

    def _row(self, work: Work) -> _Row:
        change = work.change
        document = None if change.op.removes else self._documents.build(change)
        if document is None:
            address = self._documents.target(change)
        else:
            address = document.namespace, self._documents.head(document.id)
        return _Row(work, address, document, digest_of("\0".join(address)))

    def _settle_first(self) -> None:
        rows, plan, asked = self._under_way.popleft()
        points = asked.result()
        places = self._known.places(row.digest for row in rows)
        wanted: dict[str, list[tuple[_Row, np.intp]]] = {}
        worst: list[str] = []
        for row, place in zip(rows, places, strict=True):
            ending = self._judge(row, place, points.get(row.address))
            self._tally.end(ending)
            if ending is Ending.EMBED and row.document is not None:
                for text in self._documents.split(row.document.text):
                    wanted.setdefault(text, []).append((row, place))
            worst += self._alone(row, ending)
        self._price(wanted, plan)
        self._tally.may_pay(self._meter(worst))

    def _judge(self, row: _Row, place: np.intp, point: Point | None) -> Ending:
        """As the pipeline will, once everything before is done."""
        change, document = row.work.change, row.document
        text = self._known.text(place)
        held = Held.fetched(point)
        if text is None and held is not None and held.fingerprint is not None:
            if is_stale(change, held):
                return Ending.STALE  # not put down, as the next change has to be compared as well
            text = digest_of(held.fingerprint)
            self._known.put(place, text, 0)
            if document is not None and document.stamp.fingerprint == held.fingerprint:
                return Ending.IN_INDEX
        if document is None:
            self._known.put(place, 0, 0)
            return Ending.DELETED if change.op.removes else Ending.FILTERED
        return Ending.IN_INDEX if text == digest_of(document.stamp.fingerprint) else Ending.EMBED

    def _price(self, wanted: Mapping[str, Sequence[tuple[_Row, np.intp]]], plan: Plan) -> None:
        """Equal texts of a batch are embedded once."""
        if not wanted:
            return
        costs: dict[_Row, int] = defaultdict(int)
        places: dict[_Row, np.intp] = {}
        self._tally.calls += len(cut([Size.of(text) for text in wanted], self._measure))
        for tokens, sharing in zip(self._meter(list(wanted)), wanted.values(), strict=True):
            record = sharing[0][0].work.newest.change.record
            self._tally.pay(plan.part_of(record), tokens)
            self._tally.may_pay([tokens] * len(sharing))
            for row, place in sharing:
                costs[row] += tokens.low
                places[row] = place
        for row, place in places.items():
            if row.document is not None:
                text = digest_of(row.document.stamp.fingerprint)
                self._known.put(place, text, costs[row])

    def _alone(self, row: _Row, ending: Ending) -> Iterator[str]:
        """Texts that are paid for on top if no change waits for the next one of its row."""
        before = ""
        for entry in row.work.entries[:-1]:
            text = self._text_of(entry.change)
            if text and text != before:
                yield from self._documents.split(text)
            before = text
        is_alone = len(row.work.entries) == 1
        if is_alone or row.document is None or ending is Ending.EMBED:
            return
        if row.document.text != before:
            yield from self._documents.split(row.document.text)

    def _text_of(self, change: Change) -> str:
        try:
            return self._documents.text_of(change)
        except RecordError:
            return ""
