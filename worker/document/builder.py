"""A change to the document that should be in the index: pure, quick, the same for every road."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.document.collision import Claims
from worker.document.digests import are_unchanged, column_digests
from worker.document.fingerprint import Fingerprints
from worker.document.fitting import METADATA_BYTES
from worker.document.identity import PointIds, chunk_id
from worker.document.lacking import expect, no_text_column, require, unavailable
from worker.document.metadata import TEXT
from worker.document.place import Place, Places
from worker.document.row_metadata import RowMetadata
from worker.document.said_once import SaidOnce
from worker.model import Chunk, Document, Stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.document.chunking import Chunking
    from worker.document.spec import DocumentSpec
    from worker.model import Change, ModelId, Point

_DIGEST_BYTES = 16
_DIGESTS_BYTES = 800
"""Of the thousand that ``METADATA_BYTES`` leaves for what is ours."""


class DocumentBuilder:
    """Builds documents for one connector. Never does I/O; called for every record."""

    def __init__(
        self,
        spec: DocumentSpec,
        model: ModelId,
        metadata_limit: int = METADATA_BYTES,
        chunking: Chunking | None = None,
    ) -> None:
        """Prepare; ``metadata_limit`` is in bytes of JSON; without chunking texts stay whole."""
        self._spec = spec
        self._model = str(model)
        self._chunking = chunking
        self._fingerprints = Fingerprints(model, chunking)
        self._of_pieces = Fingerprints(model)
        self._places = Places()
        self._namespaces: dict[Place, str] = {}
        self._ids = PointIds(spec.id)
        self._claims = Claims()
        self._when_columns = spec.when.columns if spec.when else frozenset()
        self._text_columns = tuple(sorted(spec.text.columns | self._when_columns))
        self._digested = self._text_columns if _fit_stamp(self._text_columns) else ()
        self._columns = spec.columns
        self._warnings = SaidOnce()
        self._metadata = RowMetadata(
            spec, metadata_limit, self._warnings, is_cut=chunking is not None
        )

    @property
    def columns(self) -> frozenset[str]:
        """See the spec."""
        return self._columns

    def is_partial(self, change: Change) -> bool:
        """Whether Debezium left out a column that the document is made of."""
        return not change.unavailable.isdisjoint(self._columns)

    def lacking(self, change: Change) -> frozenset[str]:
        """Those columns."""
        return change.unavailable & self._columns

    def build(self, change: Change, stored: Point | None = None) -> Document | None:
        """The document of a row; None if the row must not be in the index.

        That is so for a deleted row, one for which ``document.when`` is false, and one without any
        text, as nobody could find it by meaning.

        ``stored`` is what the index holds of the row, for a change that is partial: metadata that
        was not sent stays as it is there, and where no column behind the text has changed, the
        document has that point's fingerprint and an empty text.

        Raises:
            RecordError: a needed column was not sent (``UnavailableColumn``), a template failed
                (``TemplateError``), or the table of the record is unknown (``UnknownTable``).
            FatalError: no column of the text exists in this topic, or its rows would share points
                with those of another one.
        """
        if change.unavailable and self.is_partial(change):
            return self._completed(change, stored)
        text = self.text_of(change)
        return self._document(change, text, self._fingerprints.of(text)) if text else None

    def former(self, change: Change) -> tuple[str, str] | None:
        """Where the row's point, or the first of them, was before its key changed.

        None if it did not change.
        """
        if change.moved_from is None:
            return None
        place = self._places.of(change)
        return self._namespace(place), self.head(self._ids.of(place, change.moved_from))

    def chunks(self, document: Document) -> tuple[Chunk, ...]:
        """The points that a document's text is cut into, in order; none without chunking.

        None also for a document that ``build`` completed without its text: its points keep theirs.

        Whoever needs them asks for them: cutting takes longer than all that ``build`` does, and
        most documents of a snapshot that is read again are in the index already.
        """
        if self._chunking is None or not document.text:
            return ()
        texts = self.split(document.text)
        return self._numbered(document, [(text, self._of_pieces.of(text)) for text in texts])

    def rewritten(self, document: Document, stored: Sequence[Point]) -> tuple[Chunk, ...]:
        """The same for a document that ``build`` completed without its text.

        ``stored`` are all points of the row in order. Their texts stay; where the text is not a
        part of the metadata, that of the chunks is empty.
        """
        return self._numbered(
            document,
            [
                (str(point.metadata.get(TEXT, "")), point.stamp.fingerprint if point.stamp else "")
                for point in stored
            ],
        )

    def _numbered(self, document: Document, texts: Sequence[tuple[str, str]]) -> tuple[Chunk, ...]:
        """Chunks of these texts and fingerprints."""
        whole = document.stamp
        later = replace(whole, columns=())
        first = replace(whole, document=whole.fingerprint, chunks=len(texts))
        return tuple(
            Chunk(
                chunk_id(document.id, number),
                text,
                self._metadata.of_chunk(document, text),
                replace(later if number else first, fingerprint=fingerprint),
            )
            for number, (text, fingerprint) in enumerate(texts)
        )

    def split(self, text: str) -> tuple[str, ...]:
        """The texts that are embedded for a text, in order: itself, or its chunks."""
        return (text,) if self._chunking is None else self._chunking.split(text)

    def head(self, document_id: str) -> str:
        """The id of the point that stands for a row: with chunking its first chunk's."""
        return document_id if self._chunking is None else chunk_id(document_id, 0)

    def target(self, change: Change) -> tuple[str, str]:
        """Namespace and id of the row's point, or of the first of them.

        Needs only key and origin, so deletes have one too.

        Raises:
            RecordError: the table of a tombstone is unknown (``UnknownTable``).
        """
        place = self._places.of(change)
        return self._namespace(place), self.head(self._ids.of(place, change.key))

    def namespace_of(self, place: Place) -> str:
        """Where the points of a table are.

        Raises:
            RecordError: the pattern needs what the place cannot say (``UnknownTable``).
        """
        return self._spec.namespace.fill(place)

    def may_own(self, place: Place, point_id: str) -> bool:
        """Whether the id of a point has the form of the table's ids."""
        return self._ids.may_be_of(place, point_id)

    def text_of(self, change: Change) -> str:
        """What ``build`` would embed; empty if the row must not be in the index.

        Raises:
            RecordError: as ``build``.
        """
        if change.op.removes:
            return ""
        is_whole = change.after.keys() >= self._columns
        if not is_whole:
            self._report_absent(change)
        if not self._is_wanted(change):
            return ""
        if change.unavailable:
            require(change, self._spec.text.columns)
        if not is_whole and change.after.keys().isdisjoint(self._spec.text.columns):
            raise no_text_column(change, self._spec.text.columns)
        return self._spec.text.render(change.after)

    def _is_wanted(self, change: Change) -> bool:
        if self._spec.when is None:
            return True
        if change.unavailable:
            require(change, self._when_columns)
        return self._spec.when.holds(change.after)

    def _completed(self, change: Change, stored: Point | None) -> Document | None:
        """The document of a change that lacks something, by what the index holds."""
        if change.unavailable.isdisjoint(self._text_columns):
            text = self.text_of(change)
            if not text:
                return None
            expect(stored, change, self._columns)
            return self._document(change, text, self._fingerprints.of(text), stored)
        if change.unavailable.isdisjoint(self._when_columns) and not self._is_wanted(change):
            return None
        stamp = expect(stored, change, self._columns)
        if not are_unchanged(change.after, self._text_columns, change.unavailable, stamp.columns):
            raise unavailable(change, self._columns)
        return self._document(change, "", stamp.text, stored)

    def _document(
        self, change: Change, text: str, fingerprint: str, stored: Point | None = None
    ) -> Document:
        place = self._places.of(change)
        if not text and stored is not None and stored.stamp is not None:
            columns = stored.stamp.columns
        else:
            columns = column_digests(change.after, self._digested, change.origin.connector)
        fit = self._metadata.of(change, place, text, stored)
        return Document(
            namespace=self._namespace(place),
            id=self._ids.of(place, change.key),
            text=text,
            metadata=fit.metadata,
            dropped=fit.dropped,
            stamp=Stamp(
                fingerprint=fingerprint,
                position=change.record.position,
                model=self._model,
                source_position=change.origin.position,
                columns=columns,
            ),
        )

    def _namespace(self, place: Place) -> str:
        name = self._namespaces.get(place)
        if name is None:
            name = self._spec.namespace.fill(place)
            self._claims.make(name, self._ids, place)
            self._namespaces[place] = name
        return name

    def _report_absent(self, change: Change) -> None:
        """A column that no row has reads like null: it may be a typo, or be added to the table."""
        topic = change.record.topic
        for column in self._columns - change.after.keys() - change.unavailable:
            self._warnings.say(topic, column, "not a column of the rows, read as null")


def _fit_stamp(columns: tuple[str, ...]) -> bool:
    """Whether their digests may go with every point; else nobody knows what did not change."""
    return sum(len(name.encode()) + _DIGEST_BYTES for name in columns) <= _DIGESTS_BYTES
