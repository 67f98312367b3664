"""The filter language of ``worker.store.filters`` as conditions in SQL.

Keys and values are always bound as parameters. A key that is a column (``store.columns``) is
compared there, so that its index serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from psycopg import sql

from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ORDER: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_TRUE, _FALSE = sql.SQL("true"), sql.SQL("false")


class Conditions:
    """Conditions over one table, and the parameters that they need."""

    def __init__(self, columns: Mapping[str, str], parameters: list[object]) -> None:
        """``parameters`` are those of the statement so far; more are added to them."""
        self._columns = columns
        self._parameters = parameters

    def of(self, where: Mapping[str, Any]) -> sql.Composable:
        """All conditions of a filter.

        Raises:
            ConfigError: the filter uses something that the language does not have.
        """
        return _joined(" AND ", (self._one(name, value) for name, value in where.items()), _TRUE)

    def _one(self, name: str, wanted: Any) -> sql.Composable:  # noqa: ANN401 - any JSON
        if name in {"$and", "$or"}:
            if not (isinstance(wanted, list) and all(isinstance(part, dict) for part in wanted)):
                raise ConfigError(f"a filter's {name} is a list of filters")
            parts = [self.of(part) for part in wanted]
            return (
                _joined(" AND ", parts, _TRUE) if name == "$and" else _joined(" OR ", parts, _FALSE)
            )
        if name.startswith("$"):
            raise ConfigError(f"a filter has no operator {name!r} at its top: use $and or $or")
        conditions = wanted if isinstance(wanted, dict) else {"$eq": wanted}
        compared = (self._compared(name, sign, value) for sign, value in conditions.items())
        return _joined(" AND ", compared, _TRUE)

    def _compared(self, name: str, sign: str, value: Any) -> sql.Composable:  # noqa: ANN401
        if sign == "$exists":
            test = sql.SQL("IS NOT NULL") if value else sql.SQL("IS NULL")
            return sql.SQL("{} {}").format(self._stored(name), test)
        if sign in {"$eq", "$ne"}:
            return self._among(name, [value], is_wanted=sign == "$eq")
        if sign in {"$in", "$nin"}:
            if not isinstance(value, list):
                raise ConfigError(f"a filter's {sign} takes a list of values")
            return self._among(name, value, is_wanted=sign == "$in")
        if sign not in _ORDER:
            raise ConfigError(f"a filter has no operator {sign!r}")
        return self._ordered(name, _ORDER[sign], value)

    def _among(self, name: str, values: list[Any], *, is_wanted: bool) -> sql.Composable:
        equal = _joined(" OR ", (self._equals(name, value) for value in values), _FALSE)
        if is_wanted:
            return equal
        return sql.SQL("({} IS NOT NULL AND ({}) IS NOT TRUE)").format(self._stored(name), equal)

    def _equals(self, name: str, value: Any) -> sql.Composable:  # noqa: ANN401 - any JSON
        """A list holds a value if one of its elements is equal to it."""
        kind = _kind(value)
        if self._columns.get(name) == kind:
            return sql.SQL("{} = {}").format(sql.Identifier(name), self._scalar(value, kind))
        wanted = self._bound(orjson.dumps(value).decode(), "jsonb")
        return sql.SQL("{} @> {}").format(self._stored(name), wanted)

    def _ordered(self, name: str, operator: str, value: Any) -> sql.Composable:  # noqa: ANN401
        if _kind(value) != "numeric":
            return _FALSE
        wanted = self._scalar(value, "numeric")
        if self._columns.get(name) == "numeric":
            return sql.SQL("{} {} {}").format(sql.Identifier(name), sql.SQL(operator), wanted)
        stored = self._stored(name)
        return sql.SQL(
            "CASE jsonb_typeof({0}) WHEN 'number' THEN ({0})::numeric {1} {2} END"
        ).format(stored, sql.SQL(operator), wanted)

    def _stored(self, name: str) -> sql.Composable:
        return sql.SQL("(metadata -> {})").format(self._bound(name, "text"))

    def _scalar(self, value: object, kind: str) -> sql.Composable:
        return self._bound(value if kind == "boolean" else str(value), kind)

    def _bound(self, value: object, kind: str) -> sql.Composable:
        self._parameters.append(value)
        return sql.SQL(f"${len(self._parameters)}::{kind}")


def _kind(value: Any) -> str:  # noqa: ANN401 - any JSON
    """The type of column that such a value can be in."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "numeric"
    if isinstance(value, str):
        return "text"
    raise ConfigError("a filter compares with texts, numbers, true and false")


def _joined(word: str, parts: Iterable[sql.Composable], nothing: sql.Composable) -> sql.Composable:
    held = [sql.SQL("({})").format(part) for part in parts]
    return sql.SQL(word).join(held) if held else nothing
