"""A value and its key to a change: Debezium's envelope, a flattened row, or a tombstone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.decode.key_change import moved_from, moves_away
from worker.decode.origin import flat_origin, origin_of
from worker.decode.part import Part
from worker.decode.row import NOTHING
from worker.decode.shape import Kind
from worker.model import Change, Op

if TYPE_CHECKING:
    from worker.decode.formats import KeyFormat, RawValue
    from worker.decode.key import KeyReader
    from worker.model import Key, Record

NOT_ROWS = {"t": "truncate", "m": "message"}
"""Operations of an envelope that are about no row."""

_OPS = {op.value: op for op in (Op.CREATE, Op.UPDATE, Op.DELETE, Op.READ)}
_CREATE, _READ, _DELETE = Op.CREATE, Op.READ, Op.DELETE
"""Named here, as Python 3.11 takes 90 ns to read a member off its class."""
_FLAT = Kind.FLAT
_NO_COLUMNS: dict[str, Any] = {}


class Envelopes:
    """Makes changes of values; ``keys`` reads old keys out of headers."""

    def __init__(self, keys: KeyFormat) -> None:
        self._keys = keys

    def change(self, record: Record, reader: KeyReader, key: Key, value: RawValue | None) -> Change:
        """The change of the row under this key; no value means that it is gone.

        Raises:
            SchemaNeeded, RecordError: as in ``Decoder.decode``.
        """
        if value is None:
            return Change(record, key, Op.TOMBSTONE, _NO_COLUMNS)
        if value.kind is _FLAT:
            return _flat(record, key, value)
        op = _OPS.get(str(value.fields.get("op")))
        if op is None:
            raise Part.VALUE.error("the envelope's op is none of c, u, d, r", kind="UnknownOp")
        origin = origin_of(value.fields.get("source"))
        if op is _DELETE:
            away = moves_away(record)
            return Change(record, key, op, _NO_COLUMNS, origin, NOTHING, None, away)
        after = value.fields.get("after")
        if type(after) is not dict:
            raise Part.VALUE.error(f"the envelope of op {op} has no after", kind="NoAfter")
        missing = NOTHING if op is _READ else value.row.unavailable(after)
        old = moved_from(record, reader.type, self._keys) if op is _CREATE else None
        return Change(record, key, op, value.row.read(after, missing), origin, missing, old)


def _flat(record: Record, key: Key, value: RawValue) -> Change:
    """A row of ``ExtractNewRecordState``; without ``__op`` nobody knows more than that it is."""
    fields = value.fields
    op = _flat_op(fields)
    origin = flat_origin(fields)
    if op is Op.DELETE:
        return Change(record, key, op, _NO_COLUMNS, origin)
    missing = NOTHING if op is Op.READ else value.row.unavailable(fields)
    return Change(record, key, op, value.row.read(fields, missing), origin, missing)


def _flat_op(fields: dict[str, Any]) -> Op:
    if str(fields.get("__deleted")).lower() == "true":
        return Op.DELETE
    return _OPS.get(str(fields.get("__op")), Op.UPDATE)
