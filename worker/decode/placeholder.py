"""Debezium's TOAST placeholder in the shape that it takes in each column type.

PostgreSQL does not log a large value that an UPDATE did not touch; Debezium sends
``unavailable.value.placeholder`` in its place. Sources: ``UnchangedToastedPlaceholder`` and
``PostgresValueConverter`` of Debezium.
"""

from __future__ import annotations

import hashlib
import uuid
from base64 import b64encode
from typing import TYPE_CHECKING

from worker.decode.column_type import BYTES, INTEGERS, STRINGS
from worker.decode.conversion import JSON, UUID

if TYPE_CHECKING:
    from worker.decode.column_type import ColumnType
    from worker.model import Value

DEFAULT = "__debezium_unavailable_value"


class Placeholder:
    """The configured placeholder."""

    def __init__(self, text: str = DEFAULT) -> None:
        """Take the setting as Debezium does: text, or bytes as ``hex:…``.

        Raises:
            ValueError: no hexadecimal digits after ``hex:``.
        """
        raw = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
        self._raw = raw
        self._text = raw.decode("utf-8", "replace")
        digest = hashlib.md5(raw, usedforsecurity=False).digest()
        self._uuid = str(uuid.UUID(bytes=digest, version=3))  # java.util.UUID.nameUUIDFromBytes
        self._hstore = f'{{"{self._text}":"{self._text}"}}'
        self._base64 = b64encode(raw).decode()

    def marks(self, kind: ColumnType) -> tuple[Value, ...]:
        """What stands in a column of this type in Avro; empty if it is never unavailable."""
        scalar = self._scalar(kind, self._raw)
        return scalar or self._nested(kind, self._raw)

    def json_marks(self, kind: ColumnType) -> tuple[Value, ...]:
        """The same in JSON, where bytes are base64."""
        scalar = self._scalar(kind, self._base64)
        return scalar or self._nested(kind, self._base64)

    @property
    def untyped_marks(self) -> tuple[Value, ...]:
        """All that may stand in a JSON message without schema."""
        texts = [self._text, self._base64, self._hstore]
        arrays: list[Value] = [[text] for text in (self._text, self._base64, self._uuid)]
        return (*texts, *arrays, list(self._raw), {self._text: self._text})

    def _scalar(self, kind: ColumnType, raw: bytes | str) -> tuple[Value, ...]:
        if kind.base in STRINGS:
            return (self._text, self._hstore) if kind.name == JSON else (self._text,)
        if kind.base in BYTES and not kind.name:  # a name means Decimal or Bits
            return (raw,)
        return ()

    def _nested(self, kind: ColumnType, raw: bytes | str) -> tuple[Value, ...]:
        if kind.base == "map":
            return ({self._text: self._text},)
        if kind.base != "array" or kind.element is None:
            return ()
        if kind.element.name == UUID:
            return ([self._uuid],)
        if kind.element.base in INTEGERS:
            return (list(self._raw),)
        return tuple([mark] for mark in self._scalar(kind.element, raw))
