"""Keys as identities: hashable values under the names of the key's columns.

A key that is a plain value and no struct is one column with the name ``key``.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from worker.decode.column_type import STRUCTS
from worker.decode.part import Part
from worker.decode.row import broken_column
from worker.immutable import immutable
from worker.model import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from worker.decode.column_type import ColumnType
    from worker.model import Value

PLAIN_KEY = "key"
"""The column of a key that is no struct."""


class KeyReader(Protocol):
    """Turns decoded keys of one schema into identities."""

    @property
    def type(self) -> ColumnType | None:
        """The key's type; None where the format does not say."""
        ...

    def key(self, topic: str, raw: Any) -> Key:  # noqa: ANN401 - a decoded struct or scalar
        """The identity of the row; takes ``raw`` over.

        Raises:
            RecordError: a column's bytes are not of its type.
        """
        ...


@immutable
class TypedKey:
    """Reads keys whose types are known."""

    type: ColumnType = field(repr=False)
    conversions: tuple[tuple[str, Callable[[Any], Value]], ...] = ()

    def key(self, topic: str, raw: Any) -> Key:  # noqa: ANN401 - a decoded struct or scalar
        """See the protocol."""
        columns = raw if type(raw) is dict else {PLAIN_KEY: raw}
        name = ""
        try:
            for name, convert in self.conversions:
                value = columns[name]
                if value is not None:
                    columns[name] = convert(value)
        except Exception as error:
            raise broken_column(Part.KEY, name) from error
        return Key(topic, tuple(columns.items()))

    def narrowed(self, columns: Container[str]) -> TypedKey:
        """Of keys that have only these columns."""
        there = tuple(one for one in self.conversions if one[0] in columns)
        return TypedKey(self.type, there)


def key_reader(
    kind: ColumnType, conversion: Callable[[ColumnType], Callable[[Any], Value] | None]
) -> TypedKey:
    """A reader for keys of this type, written in the format that ``conversion`` knows."""
    columns = kind.fields if kind.base in STRUCTS else ((PLAIN_KEY, kind),)
    found = ((name, _hashable(column, conversion(column))) for name, column in columns)
    return TypedKey(kind, tuple((name, convert) for name, convert in found if convert))


class UntypedKey:
    """Reads keys of JSON without schema."""

    type = None

    def key(self, topic: str, raw: Any) -> Key:  # noqa: ANN401 - any JSON
        """See the protocol."""
        columns = raw if isinstance(raw, dict) else {PLAIN_KEY: raw}
        return Key(topic, tuple((name, frozen(value)) for name, value in columns.items()))


def frozen(value: Any) -> Value:  # noqa: ANN401 - any value
    """The same as something hashable: arrays as tuples, structs as JSON text."""
    if isinstance(value, list):
        return tuple(map(frozen, value))
    if isinstance(value, dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()
    return value


def _hashable(
    kind: ColumnType, convert: Callable[[Any], Value] | None
) -> Callable[[Any], Value] | None:
    if convert is not None:
        return lambda value: frozen(convert(value))
    if kind.element is None and kind.base not in STRUCTS | {"union"}:
        return None
    return frozen
