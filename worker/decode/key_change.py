"""The headers by which Debezium links the two halves of a primary-key change.

The delete of the old key, and the tombstone after it, carry ``__debezium.newkey``; the create
of the new key carries ``__debezium.oldkey``. The value is a struct that the *header* converter
wrote: Connect's default writes text that looks like JSON, such as ``{"id":2}``.
Sources: ``RelationalChangeRecordEmitter`` and ``ByLogicalTableRouter`` of Debezium, ``Values`` of
Kafka Connect.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from worker.decode.conversion import json_conversion
from worker.decode.key import PLAIN_KEY, UntypedKey, key_reader
from worker.decode.port import NEW_KEY, OLD_KEY
from worker.errors import RecordError
from worker.model import Key

if TYPE_CHECKING:
    from worker.decode.column_type import ColumnType
    from worker.decode.formats import KeyFormat
    from worker.model import Record, Value


def moves_away(record: Record) -> bool:
    """Whether a delete is the first half of a key change."""
    return any(name == NEW_KEY for name, _ in record.headers)


def moved_from(record: Record, own: Key, kind: ColumnType | None, keys: KeyFormat) -> Key | None:
    """The old key of a create, with values of the same types as in the record's ``own`` key.

    None if there is none, or if a header converter wrote it that cannot be read here.

    Raises:
        SchemaNeeded: it is Avro, and the schema has to be loaded first.
    """
    return _other_key(OLD_KEY, record, own, kind, keys)


def moved_to(record: Record, own: Key, kind: ColumnType | None, keys: KeyFormat) -> Key | None:
    """The new key of a delete; as ``moved_from``.

    Raises:
        SchemaNeeded: as there.
    """
    return _other_key(NEW_KEY, record, own, kind, keys)


def _other_key(
    header: str, record: Record, own: Key, kind: ColumnType | None, keys: KeyFormat
) -> Key | None:
    for name, value in record.headers:
        if name == header and value:
            other = _from_text(value, own, kind) or _from_format(value, record, own, keys)
            return None if other is None else _with(other, own)
    return None


def _with(other: dict[str, Value], own: Key) -> Key:
    """What a transform added to keys is the same in both."""
    return Key(own.topic, tuple((name, other.get(name, value)) for name, value in own.columns))


def _from_format(data: bytes, record: Record, own: Key, keys: KeyFormat) -> dict[str, Value] | None:
    try:
        read = keys.read(data, record)
    except RecordError:
        return None
    if read is None:
        return None
    reader, raw = read
    return _transformed(dict(reader.key(own.topic, raw).columns), own)


def _from_text(data: bytes, own: Key, kind: ColumnType | None) -> dict[str, Value] | None:
    try:
        # Connect does not escape control characters; Decimal keeps the digits of numbers
        parsed = json.loads(data, strict=False, parse_float=Decimal)
    except ValueError:
        return None
    columns = _transformed(_payload(parsed), own)
    if columns is None:
        return None
    if kind is None:
        return dict(UntypedKey().key(own.topic, columns).columns)
    reader = key_reader(kind, json_conversion).narrowed(columns)
    try:
        return dict(reader.key(own.topic, columns).columns)
    except RecordError:
        return None


def _payload(columns: Any) -> Any:  # noqa: ANN401 - any JSON
    """Without the schema that a JsonConverter puts around it."""
    if isinstance(columns, dict) and columns.keys() == {"schema", "payload"}:
        return columns["payload"]
    return columns


def _transformed(columns: Any, own: Key) -> dict[str, Any] | None:  # noqa: ANN401 - any value
    """Those that the record's key has too: transforms change keys, and leave headers as they are.

    ``ExtractField$Key`` makes a plain value of the only column. What ``ByLogicalTableRouter`` adds,
    the name of the table's own topic, is not there. None for what is no key of such rows.
    """
    if not isinstance(columns, dict):
        return None
    names = [name for name, _ in own.columns]
    if names == [PLAIN_KEY] and len(columns) == 1:
        return dict.fromkeys(names, next(iter(columns.values())))
    return {name: columns[name] for name in names if name in columns} or None
