"""The metadata of a row's points: its columns, and its text if asked for, as far as it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.document.fitting import Fitted, fits, fitted
from worker.document.metadata import TEXT, metadata_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.document.place import Place
    from worker.document.said_once import SaidOnce
    from worker.document.spec import DocumentSpec
    from worker.model import Change, Document, MetadataValue, Point


class RowMetadata:
    """Of one connector's rows; ``limit`` is in bytes of JSON."""

    def __init__(self, spec: DocumentSpec, limit: int, warnings: SaidOnce, *, is_cut: bool) -> None:
        """``is_cut``: texts become chunks, each of which keeps its own part."""
        self._spec = spec
        self._limit = limit
        self._warnings = warnings
        self._is_cut = is_cut

    def of(self, change: Change, place: Place, text: str, stored: Point | None) -> Fitted:
        """Of a whole row; what was not sent is as in ``stored``."""
        table = change.origin.table or place.table
        whole = metadata_of(change.after, self._spec.metadata, table, change.origin)
        if stored is not None:
            whole |= self._kept(change, stored)
        if not self._spec.keeps_text or self._is_cut:
            return self._fitted(whole, change.record.topic)
        if text:
            whole[TEXT] = text
        elif stored is not None and TEXT in stored.metadata:
            whole[TEXT] = stored.metadata[TEXT]
        return self._fitted(whole, change.record.topic)

    def of_chunk(self, document: Document, text: str) -> Mapping[str, MetadataValue]:
        """The metadata of a chunk."""
        if not (self._spec.keeps_text and text):
            return document.metadata
        return self._fitted({**document.metadata, TEXT: text}, document.namespace).metadata

    def _fitted(self, whole: Mapping[str, MetadataValue], source: str) -> Fitted:
        if fits(whole, self._limit):
            return Fitted(whole)
        fit = fitted(whole, self._limit, TEXT if self._spec.keeps_text else None)
        for name in fit.dropped:
            self._warnings.say(source, name, "left out of metadata larger than the store takes")
        return fit

    def _kept(self, change: Change, stored: Point) -> dict[str, MetadataValue]:
        """Metadata of columns that were not sent, as they did not change."""
        return {
            field.name: stored.metadata[field.name]
            for field in self._spec.metadata
            if field.column in change.unavailable and field.name in stored.metadata
        }
