"""A small evaluator of metadata filters in Pinecone's language, for stores that have none.

Operators as in https://docs.pinecone.io/guides/search/filter-by-metadata: ``$eq`` (also as a bare
value), ``$ne``, ``$gt``, ``$gte``, ``$lt``, ``$lte``, ``$in``, ``$nin``, ``$exists``, ``$and``,
``$or``. A list of strings matches where one of its elements does; ``$ne`` and ``$nin`` match only
metadata that has the key, as Pinecone does.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def matches(where: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether metadata satisfies all conditions of a filter.

    Raises:
        ConfigError: the filter uses something that the language does not have.
    """
    return all(_holds(name, wanted, metadata) for name, wanted in where.items())


def _holds(name: str, wanted: Any, metadata: Mapping[str, Any]) -> bool:  # noqa: ANN401 - any JSON
    if name == "$and":
        return all(matches(part, metadata) for part in wanted)
    if name == "$or":
        return any(matches(part, metadata) for part in wanted)
    if name.startswith("$"):
        raise ConfigError(f"a filter has no operator {name!r} at its top: use $and or $or")
    conditions = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    return all(_compares(sign, metadata.get(name), value) for sign, value in conditions.items())


def _compares(sign: str, stored: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON
    if sign == "$exists":
        return (stored is not None) is bool(value)
    if sign in ("$eq", "$in"):
        return _is_among(stored, [value] if sign == "$eq" else value)
    if sign in ("$ne", "$nin"):
        return stored is not None and not _is_among(stored, [value] if sign == "$ne" else value)
    if sign not in _ORDER:
        raise ConfigError(f"a filter has no operator {sign!r}")
    return _is_number(stored) and _is_number(value) and _ORDER[sign](stored, value)


def _is_among(stored: Any, values: list[Any]) -> bool:  # noqa: ANN401 - any JSON
    held = stored if isinstance(stored, list) else [stored]
    return any(_equals(one, value) for one in held for value in values)


def _equals(stored: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Equality that keeps true and 1 apart, as JSON does."""
    return bool(isinstance(stored, bool) == isinstance(value, bool) and stored == value)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(value, int | float) and not isinstance(value, bool)
