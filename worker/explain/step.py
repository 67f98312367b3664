"""One record of a row, as far as it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.decode.port import NotARow
from worker.errors import RecordError
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.explain.reading import Reading
    from worker.model import Change, Record


@immutable
class Step:
    """A record; if it is no change, either ``error`` or ``not_a_row`` says why."""

    record: Record
    change: Change | None = None
    error: RecordError | None = None
    not_a_row: str | None = None

    @classmethod
    def of(cls, record: Record, reading: Reading) -> Step:
        """Decode a record.

        Raises:
            RetriableError, FatalError: the registry is away, or refuses us.
        """
        try:
            decoded = reading.change(record)
        except RecordError as error:
            return cls(record, error=error)
        if isinstance(decoded, NotARow):
            return cls(record, not_a_row=decoded.kind)
        return cls(record, change=decoded)

    @property
    def happened_ms(self) -> int | None:
        """When, at the latest."""
        return self.record.timestamp_ms if self.change is None else self.change.latest_ms
