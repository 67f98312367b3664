"""Rows whose texts are cut: what the index holds of their chunks, and which vectors can stay.

The first chunk stands for its row in all that was decided before; the others are looked at only
for rows that are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.document.identity import sibling
from worker.document.lacking import UNAVAILABLE
from worker.errors import RecordError, Stage
from worker.immutable import immutable
from worker.model import Outcome
from worker.pipeline.chunk_lookup import count_of
from worker.pipeline.item import Cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from worker.model import Document, Point, Vector
    from worker.pipeline.chunk_lookup import ChunkLookup
    from worker.pipeline.documents import Documents
    from worker.pipeline.item import Item

_MOST_AT_ONCE = 4096
"""Chunks whose vectors are held together; 16 MiB of them with 1,024 dimensions."""
_LOOK_EVERY_S = 0.5


@immutable
class Pieces:
    """Cuts texts, and finds vectors of equal chunks."""

    documents: Documents
    lookup: ChunkLookup
    settle_s: float
    """Longest time until a write is visible."""

    def rounds(self, items: Iterable[Item]) -> Iterator[Sequence[Item]]:
        """The same items in parts whose chunks fit into memory together; a row is never divided.

        Texts that stay whole are bounded by the batch already.
        """
        part: list[Item] = []
        size = 0
        for item in items:
            more = self._cut(item) if item.is_cut else 0
            if part and size + more > _MOST_AT_ONCE:
                yield part
                part, size = [], 0
            part.append(item)
            size += more
        if part:
            yield part

    def look(self, items: Iterable[Item], looked_s: float) -> None:
        """Fetch the chunks of these rows, and give them the vectors that can stay.

        Raises:
            Interrupted, FatalError: as ``ChunkLookup.look``.
        """
        rows = [item for item in items if item.is_cut and _is_to_do(item)]
        if not rows:
            return
        self.lookup.look(rows)
        for item in rows:
            self._fill(item, looked_s)

    def _cut(self, item: Item) -> int:
        """How many chunks the row has, before or after."""
        document = item.document
        if document is not None and document.text and _is_to_do(item):
            chunks = self.documents.chunks(document)
            item.cut = Cut(chunks, [None] * len(chunks))
        after = len(item.cut.chunks) if item.cut is not None else 1
        others = (item.moved, item.aside, *item.ahead.values())
        return max(after, item.chunks_held) + sum(map(count_of, others))

    def _fill(self, item: Item, looked_s: float) -> None:
        until_s = self._visible_s(item)
        if until_s is not None and looked_s < until_s:
            item.look_again_s = min(looked_s + _LOOK_EVERY_S, until_s)
        elif item.is_doubted and _is_as_written(item):
            item.outcome = Outcome.UNCHANGED
        elif item.document is not None:
            self._reuse(item, item.document)

    def _reuse(self, item: Item, document: Document) -> None:
        if item.cut is None:
            item.cut = self._rewritten(item, document)
        if item.cut is None:
            item.outcome = _lost(item)
            return
        vectors = _vectors(item)
        cut = item.cut
        cut.vectors = [vectors.get(chunk.stamp.fingerprint) for chunk in cut.chunks]
        item.vector = cut.first_if_whole
        item.is_reused = item.vector is not None

    def _rewritten(self, item: Item, document: Document) -> Cut | None:
        """Of a text that was not sent: the chunks that are there; None if some are not."""
        for first, found in (
            (item.stored, item.pieces),
            (item.aside, item.aside_pieces),
            (item.moved, item.moved_pieces),
        ):
            others = _counted(first, found)
            if first is None or first.stamp is None or len(others) + 1 < first.stamp.chunks:
                continue
            if item.is_doubted and not _is_together(first, others):
                continue
            if first.stamp.text == document.stamp.fingerprint:
                chunks = self.documents.rewritten(document, [first, *others])
                return Cut(chunks, [None] * len(chunks))
        return None

    def _visible_s(self, item: Item) -> float | None:
        """Until when a chunk that is missing may still come to light; None if none is."""
        is_whole = _is_together(item.stored, item.pieces) and not _is_unfinished(item.stored)
        if item.known is not None and not is_whole:
            return item.settles_at_s
        elsewhere = (item.moved, item.moved_pieces), (item.aside, item.aside_pieces)
        is_there = all(_is_together(first, others) for first, others in elsewhere)
        if item.document is not None and not is_there:
            return item.work.newest.arrived_s + self.settle_s
        return None


def _is_to_do(item: Item) -> bool:
    return item.outcome is None and item.look_again_s is None


def _counted(first: Point | None, others: Sequence[Point]) -> Sequence[Point]:
    """Those that the first one counts."""
    if first is None:
        return []
    ids = {sibling(first.id, number) for number in range(count_of(first))}
    return [other for other in others if other.id in ids]


def _is_as_written(item: Item) -> bool:
    """Whether there are the chunks that one change has written, and no others."""
    return len(item.pieces) + 1 == count_of(item.stored) and _is_together(item.stored, item.pieces)


def _is_together(first: Point | None, others: Sequence[Point]) -> bool:
    """Whether these are all chunks of a row, as one change has written them."""
    if first is None or first.stamp is None or _is_unfinished(first):
        return True
    position = first.stamp.position
    return len(others) + 1 >= first.stamp.chunks and all(
        other.stamp is not None and other.stamp.position == position for other in others
    )


def _is_unfinished(first: Point | None) -> bool:
    return first is not None and first.stamp is not None and first.stamp.is_unfinished


def _vectors(item: Item) -> dict[str, Vector]:
    """By the fingerprint of the chunk that each is of, whatever its number was."""
    before = (item.truncated, item.moved_truncated)
    return {
        point.stamp.fingerprint: point.vector
        for point in (*before, *_points(item))
        if point is not None and point.stamp is not None
    }


def _points(item: Item) -> Iterator[Point | None]:
    """All that is there of a row."""
    yield from (*item.ahead.values(), *item.pieces_ahead)
    yield from (item.aside, *item.aside_pieces)
    yield from (item.stored, *item.pieces)
    yield from (item.moved, *item.moved_pieces)


def _lost(item: Item) -> RecordError:
    return RecordError(
        f"{item.change.record.topic}: Debezium left out columns of the text, as they are large and "
        "did not change, and the index has lost some of the chunks that it was cut into",
        stage=Stage.DOCUMENT,
        kind=UNAVAILABLE,
    )
