"""Reads the wanted fields out of Avro bytes and steps over the others.

Of the sixty fields of a change's envelope a connector wants a dozen. For each writer's schema a
function is generated, as ``dataclasses`` does it: straight code that knows the order of the fields.
It takes the short way where types and bytes are plain; a type that is not is read by fastavro, and
so is a whole datum with anything odd in it. Source: Avro's specification, "Binary Encoding".
"""

from __future__ import annotations

from io import BytesIO
from struct import Struct
from typing import TYPE_CHECKING, Any, TypeAlias

import fastavro

from worker.decode.avro_schema import definitions, part_of
from worker.decode.column_type import STRUCTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Wanted: TypeAlias = "Mapping[str, Wanted] | None"
"""The fields that are read of a record, and what of each; None for all."""

Read: TypeAlias = "Callable[[bytes, int], Any]"
"""Reads the datum from an offset to the end of the bytes; raises whatever if it cannot."""

_DEPTH = 8
"""Records within records to this depth are written out."""

_NEGATIVE = None
"""No number, so that the generated code fails: a length is negative if its first byte is odd."""
_LENGTHS = tuple(_NEGATIVE if byte & 1 else byte >> 1 for byte in range(128))
_STEPS = tuple(_NEGATIVE if byte & 1 else 1 + (byte >> 1) for byte in range(128))
_NUMBERS = tuple(byte >> 1 ^ -(byte & 1) for byte in range(128))

_LONG = (
    "n = data[pos]",
    "pos += 1",
    "if n < 128: {to} = numbers[n]",
    "else: n, pos = far(data, pos, n); {to} = n >> 1 ^ -(n & 1)",
)
_SKIP_LONG = ("while data[pos] > 127: pos += 1", "pos += 1")
_LENGTH = (
    "n = data[pos]",
    "pos += 1",
    "if n < 128: end = pos + lengths[n]",
    "else: n, pos = far(data, pos, n); end = pos + even(n)",
)
_SKIP_LENGTH = (
    "n = data[pos]",
    "if n < 128: pos += steps[n]",
    "else: n, pos = far(data, pos + 1, n); pos += even(n)",
)

_READ = {
    "null": ("{to} = None",),
    "boolean": ("{to} = booleans[data[pos]]", "pos += 1"),
    "int": _LONG,
    "long": _LONG,
    "float": ("{to}, = single(data, pos)", "pos += 4"),
    "double": ("{to}, = double(data, pos)", "pos += 8"),
    "bytes": (*_LENGTH, "{to} = data[pos:end]", "pos = end"),
    "string": (*_LENGTH, "{to} = data[pos:end].decode()", "pos = end"),
}
_SKIP = {
    "null": (),
    "boolean": ("pos += 1",),
    "int": _SKIP_LONG,
    "long": _SKIP_LONG,
    "float": ("pos += 4",),
    "double": ("pos += 8",),
    "bytes": _SKIP_LENGTH,
    "string": _SKIP_LENGTH,
}


def projection(schema: Any, wanted: Wanted) -> Read:  # noqa: ANN401 - Avro JSON
    """A reader for data of this self-contained schema.

    What it gives equals what fastavro gives, without the unwanted fields. It fails where a byte is
    missing or left over; a broken byte within an unwanted field it need not see.
    """
    code = _Code(schema)
    code.walk(schema, "datum", wanted, 1)
    return code.compiled()


class _Code:
    """The lines of a reader, and the names that they use."""

    def __init__(self, schema: Any) -> None:  # noqa: ANN401
        self._known = definitions(schema)
        self._lines = ["def read(data, pos):"]
        self._variables = 0
        self._names: dict[str, Any] = {
            "booleans": (False, True),
            "double": Struct("<d").unpack_from,
            "even": _even,
            "far": _far,
            "lengths": _LENGTHS,
            "numbers": _NUMBERS,
            "single": Struct("<f").unpack_from,
            "steps": _STEPS,
        }

    def walk(self, node: Any, to: str | None, wanted: Wanted, depth: int) -> None:  # noqa: ANN401
        """Add what reads a datum of this type into a variable, or, without one, steps over it."""
        known = self._known.get(node) if isinstance(node, str) else None
        node = node if known is None else known[0]
        base = node["type"] if isinstance(node, dict) else node
        if isinstance(base, list):
            self._union(base, to, wanted, depth)
        elif base in STRUCTS and depth < _DEPTH:
            self._record(node["fields"], to, wanted, depth)
        elif base in _READ:
            lines = _SKIP[base] if to is None else _READ[base]
            self._add(depth, *(line.format(to=to) for line in lines))
        else:
            self._foreign(node, to, depth)

    def compiled(self) -> Read:
        """The finished reader."""
        self._add(1, "if pos == len(data): return datum", "raise ValueError(pos)")
        exec("\n".join(self._lines), self._names)  # noqa: S102 - all of it is written here
        read: Read = self._names["read"]
        return read

    def _add(self, depth: int, *lines: str) -> None:
        self._lines += ("    " * depth + line for line in lines)

    def _union(self, branches: list[Any], to: str | None, wanted: Wanted, depth: int) -> None:
        """The number of the branch, then the datum."""
        if len(branches) != 2 or "null" not in branches:  # noqa: PLR2004 - a column or nothing
            self._foreign(branches, to, depth)
            return
        self._add(depth, "branch = data[pos]", "pos += 1")
        for index, branch in enumerate(branches):
            self._add(depth, f"{'el' if index else ''}if branch == {index * 2}:")
            self.walk(branch, to, wanted, depth + 1)
            self._add(depth + 1, "pass")
        self._add(depth, "else: raise ValueError(pos)")

    def _record(self, fields: list[Any], to: str | None, wanted: Wanted, depth: int) -> None:
        found: list[str] = []
        for field in fields:
            name = field["name"]
            if to is None or (wanted is not None and name not in wanted):
                self.walk(field["type"], None, None, depth)
                continue
            self._variables += 1
            value = f"v{self._variables}"
            self.walk(field["type"], value, None if wanted is None else wanted[name], depth)
            found.append(f"{name!r}: {value}")
        if to is not None:
            self._add(depth, f"{to} = {{{', '.join(found)}}}")

    def _foreign(self, node: Any, to: str | None, depth: int) -> None:  # noqa: ANN401
        """A type that fastavro reads, wanted or not."""
        name = f"foreign{len(self._names)}"
        self._names[name] = _fastavro(part_of(node, self._known))
        self._add(depth, f"{to or '_'}, pos = {name}(data, pos)")


def _fastavro(schema: Any) -> Callable[[bytes, int], tuple[Any, int]]:  # noqa: ANN401
    parsed = fastavro.parse_schema(schema)

    def read(data: bytes, pos: int) -> tuple[Any, int]:
        stream = BytesIO(data)
        stream.seek(pos)
        return fastavro.schemaless_reader(stream, parsed, None), stream.tell()

    return read


def _far(data: bytes, pos: int, first: int) -> tuple[int, int]:
    """A number of several bytes, with its sign still in the last bit, and where it ends."""
    number, shift = first & 127, 7
    while shift < 64:  # noqa: PLR2004 - bits of a long
        byte = data[pos]
        pos += 1
        number |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004
            return number, pos
        shift += 7
    raise ValueError(pos)


def _even(number: int) -> int:
    if number & 1:
        raise ValueError(number)
    return number >> 1
