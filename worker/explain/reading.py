"""Records to keys and changes, schemas included; values are decoded only where they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.decode.port import NotARow, SchemaNeeded
from worker.errors import RecordError
from worker.immutable import immutable
from worker.model import Record

if TYPE_CHECKING:
    from worker.decode.port import Decoder
    from worker.estimate.stored import Waiting
    from worker.model import Change, Key


@immutable
class Reading:
    """Decodes as a task does, and waits for schemas."""

    decoder: Decoder
    waiting: Waiting

    def change(self, record: Record) -> Change | NotARow:
        """The change of a record.

        Raises:
            RecordError: it cannot be decoded.
            RetriableError: the registry is away.
            FatalError: every record would fail.
        """
        while True:
            try:
                return self.decoder.decode(record)
            except SchemaNeeded as needed:
                self._load(needed)

    def key(self, record: Record) -> Key | None:
        """The key alone, at little cost: without its value a record is a tombstone.

        None for a record without key, or with one that cannot be read.
        """
        try:
            change = self.change(
                Record(record.topic, record.partition, record.offset, record.key, None)
            )
        except RecordError:
            return None
        return None if isinstance(change, NotARow) else change.key

    def _load(self, needed: SchemaNeeded) -> None:
        what = f"loading schema {needed.schema_id}"
        self.waiting(what, lambda: self.decoder.load(needed))
