"""Columns of many rows as PostgreSQL's binary arrays, one parameter each.

A request is then one statement over ``unnest``, whatever the number of its points. The format is
that of ``array_recv`` and of pgvector's ``vector_recv`` and ``halfvec_recv``: numbers in network
byte order, each element after its length.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from psycopg.adapt import Dumper
from psycopg.pq import Format

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from worker.model import Vector

TEXT: Final = 25
INT4: Final = 23
INT8: Final = 20
"""Type oids that are the same in every database."""

_LENGTH = struct.Struct(">i")
_HEADER = struct.Struct(">iiIii")
"""Dimensions of the array, whether it has nulls, the type's oid, elements, lower bound."""
NUMBERS: Final = {"vector": ">f4", "halfvec": ">f2"}
"""What the two types are made of."""
_VECTOR_HEADER = 4
"""Bytes of a vector before its numbers: how many they are, and two that are unused."""


@immutable
class Array:
    """The bytes of a whole array."""

    data: bytes | bytearray


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes | bytearray:
        return obj.data


def register(connection: psycopg.Connection[Any]) -> None:
    """Let a connection take arrays as parameters."""
    connection.adapters.register_dumper(Array, _ArrayDumper)


def texts(values: Sequence[str]) -> Array:
    """As ``text[]``.

    Raises:
        UnicodeEncodeError: a text is none.
    """
    if values and values.count(values[0]) == len(values):  # such as the model
        return Array(_header(TEXT, len(values)) + _element(values[0].encode()) * len(values))
    return blobs([value.encode() for value in values])


def blobs(values: Sequence[bytes]) -> Array:
    """Texts that are encoded already, as ``text[]``."""
    return Array(_header(TEXT, len(values)) + b"".join(map(_element, values)))


def integers(values: Iterable[int], oid: int = INT8) -> Array:
    """As ``bigint[]``, or as ``integer[]``.

    Raises:
        OverflowError: a number does not fit.
    """
    kind = ">i8" if oid == INT8 else ">i4"
    numbers = np.fromiter(values, kind)
    rows = np.empty(numbers.size, [("length", ">i4"), ("value", kind)])
    rows["length"] = numbers.itemsize
    rows["value"] = numbers
    return Array(_header(oid, numbers.size) + rows.tobytes())


def vectors(values: Sequence[Vector], kind: str, oid: int) -> Array:
    """As an array of ``vector`` or ``halfvec``, all of one length; ``oid`` is the type's."""
    size = values[0].size
    number = np.dtype(NUMBERS[kind])
    row = np.dtype(
        [("length", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("values", number, size)]
    )
    header = _header(oid, len(values))
    data = bytearray(len(header) + len(values) * row.itemsize)  # filled in its place
    data[: len(header)] = header
    rows = np.frombuffer(data, row, offset=len(header))
    rows["length"] = _VECTOR_HEADER + size * number.itemsize
    rows["dimensions"] = size
    with np.errstate(over="ignore"):  # too large for a halfvec is infinite, which is refused
        rows["values"] = np.stack(values)
    return Array(data)


def vectors_of(values: Sequence[bytes], kind: str) -> Sequence[Vector]:
    """Vectors of one length as PostgreSQL sends them in binary, rows of one array."""
    if not values:
        return []
    size = (len(values[0]) - _VECTOR_HEADER) // np.dtype(NUMBERS[kind]).itemsize
    sent = np.dtype([("header", f"V{_VECTOR_HEADER}"), ("values", NUMBERS[kind], size)])
    found = np.frombuffer(b"".join(values), sent)["values"].astype(np.float32)
    return list(found.reshape(len(values), size))


def _element(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _header(oid: int, count: int) -> bytes:
    return _HEADER.pack(1, 0, oid, count, 1)
