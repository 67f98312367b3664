"""The shop's table as the records tell it, to say in words what each of them changed."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from worker.decode.port import SchemaNeeded
from worker.errors import FatalError
from worker.immutable import immutable
from worker.model import Change, Op

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.decode.port import Decoder
    from worker.model import Record, Value

_NOT_SHOWN = frozenset({"updated_at"})
_SCHEMAS = 2
"""Of the key and of the value."""


@immutable
class Event:
    """What happened to one product."""

    op: Op
    id: str
    name: str
    """The product's name before the event, or its first one."""
    moved: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    """For updates, by column: value before, value after."""


class Shop:
    """All rows of the table; follows the records in their order."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.rows: dict[str, Mapping[str, Value]] = {}

    def take(self, record: Record) -> Event:
        """Follow one record and say what it did."""
        change = self._change(record)
        product = str(change.key.columns[0][1])
        before = self.rows.get(product, {})
        if change.op.removes:
            self.rows.pop(product, None)
            return Event(change.op, product, str(before.get("name", "")))
        self.rows[product] = change.after
        name = str(before.get("name", change.after["name"]))
        return Event(change.op, product, name, _moved(before, change.after))

    def _change(self, record: Record) -> Change:
        for _ in range(_SCHEMAS):
            try:
                return self._decoded(record)
            except SchemaNeeded as needed:
                self._decoder.load(needed)
        return self._decoded(record)

    def _decoded(self, record: Record) -> Change:
        decoded = self._decoder.decode(record)
        if not isinstance(decoded, Change):
            raise FatalError(f"the recording has a record that is no row: {decoded.kind}")
        return decoded


def _moved(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> dict[str, tuple[Value, Value]]:
    return {
        column: (before[column], value)
        for column, value in after.items()
        if column in before and before[column] != value and column not in _NOT_SHOWN
    }
