"""The headers by which Debezium links the two halves of a primary-key change.

The delete of the old key, and the tombstone after it, carry ``__debezium.newkey``; the create
of the new key carries ``__debezium.oldkey``. The value is a struct that the *header* converter
wrote: Connect's default writes text that looks like JSON, such as ``{"id":2}``.
Sources: ``RelationalChangeRecordEmitter`` of Debezium, ``Values`` of Kafka Connect.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from worker.decode.conversion import json_conversion
from worker.decode.key import UntypedKey, key_reader, same_columns
from worker.errors import RecordError

if TYPE_CHECKING:
    from worker.decode.column_type import ColumnType
    from worker.decode.formats import KeyFormat
    from worker.model import Key, Record

NEW_KEY = "__debezium.newkey"
OLD_KEY = "__debezium.oldkey"


def moves_away(record: Record) -> bool:
    """Whether a delete is the first half of a key change."""
    return any(name == NEW_KEY for name, _ in record.headers)


def moved_from(record: Record, kind: ColumnType | None, keys: KeyFormat) -> Key | None:
    """The old key of a create, with values of the same types as in the record's own key.

    None if there is none, or if a header converter wrote it that cannot be read here.

    Raises:
        SchemaNeeded: it is Avro, and the schema has to be loaded first.
    """
    return _other_key(OLD_KEY, record, kind, keys)


def moved_to(record: Record, kind: ColumnType | None, keys: KeyFormat) -> Key | None:
    """The new key of a delete; as ``moved_from``.

    Raises:
        SchemaNeeded: as there.
    """
    return _other_key(NEW_KEY, record, kind, keys)


def _other_key(header: str, record: Record, kind: ColumnType | None, keys: KeyFormat) -> Key | None:
    for name, value in record.headers:
        if name == header and value:
            return _from_text(value, record.topic, kind) or _from_format(value, record, keys)
    return None


def _from_format(data: bytes, record: Record, keys: KeyFormat) -> Key | None:
    try:
        read = keys.read(data, record)
    except RecordError:
        return None
    if read is None:
        return None
    reader, raw = read
    return reader.key(record.topic, raw)


def _from_text(data: bytes, topic: str, kind: ColumnType | None) -> Key | None:
    try:
        # Connect does not escape control characters; Decimal keeps the digits of numbers
        columns = json.loads(data, strict=False, parse_float=Decimal)
    except ValueError:
        return None
    columns = _payload(columns)
    if not isinstance(columns, dict):
        return None
    if kind is None:
        return UntypedKey().key(topic, columns)
    return _typed(columns, topic, kind)


def _payload(columns: Any) -> Any:  # noqa: ANN401 - any JSON
    """Without the schema that a JsonConverter puts around it."""
    if isinstance(columns, dict) and columns.keys() == {"schema", "payload"}:
        return columns["payload"]
    return columns


def _typed(columns: dict[str, Any], topic: str, kind: ColumnType) -> Key | None:
    if not same_columns(columns, kind):
        return None
    ordered = {name: columns[name] for name, _ in kind.fields}
    try:
        return key_reader(kind, json_conversion).key(topic, ordered)
    except RecordError:
        return None
