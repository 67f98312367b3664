"""Where a change came from, read from Debezium's ``source`` block."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from worker.model import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE_FIELDS = frozenset(
    {"connector", "db", "schema", "table", "ts_ms", "lsn", "sequence", "file", "pos"}
)
"""The fields of ``source`` that are read."""

_FILE_SHIFT = 32


def origin_of(source: Any) -> Origin:  # noqa: ANN401 - JSON may hold anything
    """The origin of a record with this ``source`` block."""
    if type(source) is not dict:  # JSON may hold anything
        return Origin()
    get = source.get
    return Origin(
        get("connector") or "",
        get("db"),
        get("schema"),
        get("table"),
        get("ts_ms"),
        _position(source),
    )


def flat_origin(row: Mapping[str, Any]) -> Origin:
    """The origin of a flattened record, as far as ``add.fields`` put it there.

    The transform names a field ``__lsn`` or, where asked for as ``source.lsn``, ``__source_lsn``.
    """
    found = {name: row.get(f"__source_{name}", row.get(f"__{name}")) for name in SOURCE_FIELDS}
    if "__source_ts_ms" not in row:
        found["ts_ms"] = None  # __ts_ms is when Debezium saw it
    return origin_of(found)


def _position(source: Mapping[str, Any]) -> int | None:
    lsn = source.get("lsn")
    if isinstance(lsn, int):
        return lsn
    file = source.get("file")
    if isinstance(file, str):
        return _binlog_position(file, source.get("pos"))
    sequence = source.get("sequence")
    return _in_sequence(sequence) if sequence else None


def _binlog_position(file: str, pos: Any) -> int | None:  # noqa: ANN401 - JSON may hold anything
    number = _file_number(file)
    return number << _FILE_SHIFT | pos if number is not None and isinstance(pos, int) else None


@lru_cache(maxsize=64)
def _file_number(file: str) -> int | None:
    """``mysql-bin.000012`` → 12; the suffix may have more digits than six."""
    suffix = file.rpartition(".")[2]
    return int(suffix) if suffix.isdecimal() else None


def _in_sequence(sequence: str) -> int | None:
    """PostgreSQL's ``["<last commit>","<lsn>"]``: all that incremental snapshots have."""
    try:
        return int(orjson.loads(sequence)[1])
    except (ValueError, TypeError, LookupError):
        return None
