"""A value and its key to a change: Debezium's envelope, a flattened row, or a tombstone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.decode.key_change import moved_from, moved_to, moves_away
from worker.decode.origin import flat_origin, origin_of
from worker.decode.part import Part
from worker.decode.row import NOTHING
from worker.decode.shape import Kind
from worker.model import Change, Op, Origin

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
_DELETED = "__deleted"
"""In each record where deletes do not come as tombstones."""
_NO_COLUMNS: dict[str, Any] = {}


class Envelopes:
    """Makes changes of values; ``keys`` reads old keys out of headers."""

    def __init__(self, keys: KeyFormat) -> None:
        self._keys = keys
        self._with_deletes: set[str] = set()
        """Topics where a delete is more than its tombstone."""

    def change(self, record: Record, reader: KeyReader, key: Key, value: RawValue | None) -> Change:
        """The change of the row under this key; no value means that it is gone.

        Raises:
            SchemaNeeded, RecordError: as in ``Decoder.decode``.
        """
        if value is None:
            return self._tombstone(record, reader, key)
        if value.kind is _FLAT:
            return self._flat(record, reader, key, value)
        op = _OPS.get(str(value.fields.get("op")))
        if op is None:
            raise Part.VALUE.error("the envelope's op is none of c, u, d, r", kind="UnknownOp")
        origin = origin_of(value.fields.get("source"))
        if op is _DELETE:
            return self._delete(record, reader, key, origin)
        after = value.fields.get("after")
        if type(after) is not dict:
            raise Part.VALUE.error(f"the envelope of op {op} has no after", kind="NoAfter")
        missing = NOTHING if op is _READ else value.row.unavailable(after)
        old = moved_from(record, key, reader.type, self._keys) if op is _CREATE else None
        return Change(record, key, op, value.row.read(after, missing), origin, missing, old)

    def _delete(self, record: Record, reader: KeyReader, key: Key, origin: Origin) -> Change:
        self._with_deletes.add(record.topic)
        away = moves_away(record)
        new = moved_to(record, key, reader.type, self._keys) if away else None
        return Change(record, key, _DELETE, _NO_COLUMNS, origin, NOTHING, None, away, moved_to=new)

    def _tombstone(self, record: Record, reader: KeyReader, key: Key) -> Change:
        """Of flattened records it may be all that comes of a delete."""
        away = record.topic not in self._with_deletes and moves_away(record)
        new = moved_to(record, key, reader.type, self._keys) if away else None
        return Change(
            record, key, Op.TOMBSTONE, _NO_COLUMNS, Origin(), NOTHING, None, away, moved_to=new
        )

    def _flat(self, record: Record, reader: KeyReader, key: Key, value: RawValue) -> Change:
        """A row of ``ExtractNewRecordState``; without ``__op`` nobody knows more than that it is.

        The transform keeps the headers that link the halves of a key change.
        """
        fields = value.fields
        op = _flat_op(fields)
        origin = flat_origin(fields)
        if op is _DELETE:
            return self._delete(record, reader, key, origin)
        missing = NOTHING if op is _READ else value.row.unavailable(fields)
        old = None if op is _READ else moved_from(record, key, reader.type, self._keys)
        return Change(
            record,
            key,
            op if old is None else _CREATE,
            value.row.read(fields, missing),
            origin,
            missing,
            old,
            is_left_by_tombstone=_DELETED not in fields,
        )


def _flat_op(fields: dict[str, Any]) -> Op:
    if str(fields.get(_DELETED)).lower() == "true":
        return Op.DELETE
    return _OPS.get(str(fields.get("__op")), Op.UPDATE)
