"""The document step as a batch sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import Change, Chunk, Document, Point


class Documents(Protocol):
    """What a batch needs of the document step."""

    def is_partial(self, change: Change) -> bool:
        """Whether a column that the document is made of was not sent."""
        ...

    def lacking(self, change: Change) -> frozenset[str]:
        """Those columns."""
        ...

    def build(self, change: Change, stored: Point | None = None) -> Document | None:
        """The document of a row; None if the row has no place in the index.

        ``stored`` is what the index holds of it, from which a partial change is completed.

        Raises:
            RecordError: the row cannot become one.
        """
        ...

    def chunks(self, document: Document) -> Sequence[Chunk]:
        """What a document's text is cut into, in order; nothing if it stays whole."""
        ...

    def rewritten(self, document: Document, stored: Sequence[Point]) -> Sequence[Chunk]:
        """The same for a text that was not sent, by all points of the row in order."""
        ...

    def head(self, document_id: str) -> str:
        """The id of the point that stands for a row: with chunks the first one's."""
        ...

    def target(self, change: Change) -> tuple[str, str]:
        """Namespace of a row and the id of that point, also for a row that is gone."""
        ...

    def former(self, change: Change) -> tuple[str, str] | None:
        """The same of its old key; None if the change is not the create of a key change."""
        ...
