"""A change to the document that should be in the index: pure, quick, the same for every road."""

from __future__ import annotations

import logging
from difflib import get_close_matches
from typing import TYPE_CHECKING

from worker.document.collision import Claims
from worker.document.fingerprint import Fingerprints
from worker.document.fitting import METADATA_BYTES, fits, fitted
from worker.document.identity import PointIds
from worker.document.metadata import metadata_of
from worker.document.place import Place, Places
from worker.errors import FatalError, RecordError, Stage
from worker.model import Document, Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.document.spec import DocumentSpec
    from worker.model import Change, MetadataValue, ModelId

_LOG = logging.getLogger(__name__)


class DocumentBuilder:
    """Builds documents for one connector. Never does I/O; called for every record."""

    def __init__(
        self, spec: DocumentSpec, model: ModelId, metadata_limit: int = METADATA_BYTES
    ) -> None:
        """Prepare; ``metadata_limit`` is in bytes of JSON."""
        self._spec = spec
        self._model = str(model)
        self._metadata_limit = metadata_limit
        self._fingerprints = Fingerprints(model)
        self._places = Places()
        self._namespaces: dict[Place, str] = {}
        self._ids = PointIds(spec.id)
        self._claims = Claims()
        self._when_columns = spec.when.columns if spec.when else frozenset()
        self._columns = (
            spec.text.columns
            | self._when_columns
            | frozenset(field.column for field in spec.metadata)
        )
        self._warned: set[tuple[str, str]] = set()

    @property
    def columns(self) -> frozenset[str]:
        """The columns of ``after`` that documents are made of; names and ids need the key alone."""
        return self._columns

    def build(self, change: Change) -> Document | None:
        """The document of a row; None if the row must not be in the index.

        That is so for a deleted row, one for which ``document.when`` is false, and one without any
        text, as nobody could find it by meaning.

        Raises:
            RecordError: a needed column was not sent (``UnavailableColumn``), a template failed
                (``TemplateError``), or the table of the record is unknown (``UnknownTable``).
            FatalError: no column of the text exists in this topic, or its rows would share points
                with those of another one.
        """
        text = self.text_of(change)
        if not text:
            return None
        place = self._places.of(change)
        return Document(
            namespace=self._namespace(place),
            id=self._ids.of(place, change.key),
            text=text,
            metadata=self._metadata(change, place),
            stamp=self._stamp(change, text),
        )

    def target(self, change: Change) -> tuple[str, str]:
        """Namespace and id of the row; needs only key and origin, so deletes have one too.

        Raises:
            RecordError: the table of a tombstone is unknown (``UnknownTable``).
        """
        place = self._places.of(change)
        return self._namespace(place), self._ids.of(place, change.key)

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
            _require(change, self._columns)
        if not is_whole and change.after.keys().isdisjoint(self._spec.text.columns):
            raise _no_text_column(change, self._spec.text.columns)
        return self._spec.text.render(change.after)

    def _is_wanted(self, change: Change) -> bool:
        if self._spec.when is None:
            return True
        if change.unavailable:
            _require(change, self._when_columns)
        return self._spec.when.holds(change.after)

    def _namespace(self, place: Place) -> str:
        name = self._namespaces.get(place)
        if name is None:
            name = self._spec.namespace.fill(place)
            self._claims.make(name, self._ids, place)
            self._namespaces[place] = name
        return name

    def _metadata(self, change: Change, place: Place) -> Mapping[str, MetadataValue]:
        table = change.origin.table or place.table
        whole = metadata_of(change.after, self._spec.metadata, table, change.origin)
        if fits(whole, self._metadata_limit):
            return whole
        fit = fitted(whole, self._metadata_limit)
        for name in fit.dropped:
            self._warn(change, name, "left out of metadata larger than the store takes")
        return fit.metadata

    def _stamp(self, change: Change, text: str) -> Stamp:
        return Stamp(
            fingerprint=self._fingerprints.of(text),
            position=change.record.position,
            model=self._model,
            source_position=change.origin.position,
        )

    def _report_absent(self, change: Change) -> None:
        """A column that no row has reads like null: it may be a typo, or be added to the table."""
        for column in self._columns - change.after.keys() - change.unavailable:
            self._warn(change, column, "not a column of the rows, read as null")

    def _warn(self, change: Change, name: str, what: str) -> None:
        seen = (change.record.topic, f"{name}: {what}")
        if seen in self._warned:
            return
        self._warned.add(seen)
        _LOG.warning("%s: %r is %s (said once)", change.record.topic, name, what)


def _require(change: Change, columns: frozenset[str]) -> None:
    lacking = sorted(change.unavailable & columns)
    if not lacking:
        return
    raise RecordError(
        f"{change.record.topic}: Debezium left out {', '.join(lacking)}, as they are large and did "
        "not change; set REPLICA IDENTITY FULL on the table, or add Debezium's reselect columns "
        "post processor to the source connector",
        stage=Stage.DOCUMENT,
        kind="UnavailableColumn",
    )


def _no_text_column(change: Change, columns: frozenset[str]) -> FatalError:
    wanted = sorted(columns)
    near = {hit for name in wanted for hit in get_close_matches(name, change.after, n=1)}
    hint = f"; the row has {', '.join(sorted(near))}" if near else ""
    return FatalError(
        f"rows of {change.record.topic} have no column {', '.join(wanted)}, so there is nothing to "
        f"embed{hint}: correct document.fields or document.template, or take the topic out"
    )
