"""Digests of the columns behind a text: what tells that columns that were not sent did not matter.

PostgreSQL leaves out large columns that an update did not touch. If all other columns behind the
text are as they were when the stored vector was made, then so is the text.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from worker.model import Value

_BYTES = 6
"""Two values of one row's column meet once in 10¹⁴ updates."""
_WHOLE_ROWS = frozenset({"mysql", "mariadb"})
"""Connectors that always send every column."""


def column_digests(
    row: Mapping[str, Value], columns: Collection[str], connector: str
) -> tuple[str, ...]:
    """One text per column: its name, ``:``, and a digest of its value; none where none is needed.

    Args:
        row: decoded columns; what is absent counts as null.
        columns: in a fixed order.
        connector: of the source, ``postgresql`` for instance; empty if unknown.
    """
    if connector in _WHOLE_ROWS:
        return ()
    return tuple([f"{name}:{_digest(row.get(name))}" for name in columns])


def are_unchanged(
    row: Mapping[str, Value],
    columns: Collection[str],
    unavailable: Collection[str],
    stored: Collection[str],
) -> bool:
    """Whether no column can have another value than when ``stored`` was made.

    Columns that were not sent were not touched; those that were sent are compared.
    """
    if len(stored) != len(columns):
        return False
    known = dict(one.rsplit(":", 1) for one in stored)
    return all(
        name in known and (name in unavailable or known[name] == _digest(row.get(name)))
        for name in columns
    )


def _digest(value: Value) -> str:
    data = value.encode("utf-8", "surrogatepass") if type(value) is str else _written(value)
    return blake2b(data, digest_size=_BYTES).hexdigest()


def _written(value: Value) -> bytes:
    """Of values that are no text; NUL keeps them apart from texts that look the same."""
    return f"{type(value).__name__}\0{value!r}".encode("utf-8", "surrogatepass")
