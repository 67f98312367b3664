"""Filters for Qdrant: its own, as JSON, or those that other stores take too.

Its own has ``must``, ``should``, ``must_not`` or ``min_should`` at its top. Everything else is read
as a filter in Pinecone's language (see ``worker.store.filters``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from qdrant_client import models

from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_OWN = frozenset({"must", "should", "must_not", "min_should"})
_ORDER = frozenset({"$gt", "$gte", "$lt", "$lte"})


def filter_of(where: Mapping[str, Any]) -> models.Filter:
    """A filter as the client sends it.

    Raises:
        ConfigError: it is neither.
    """
    if where.keys() & _OWN:
        return _own(where)
    return models.Filter(must=[_condition(name, wanted) for name, wanted in where.items()])


def _own(where: Mapping[str, Any]) -> models.Filter:
    try:
        return models.Filter.model_validate(dict(where))
    except ValidationError as error:
        places = {".".join(str(part) for part in one["loc"][:2]) for one in error.errors()}
        raise ConfigError(f"Qdrant has no such filter: see {', '.join(sorted(places))}") from None


def _condition(name: str, wanted: Any) -> models.Condition:  # noqa: ANN401 - any JSON
    if name == "$and":
        return models.Filter(must=[filter_of(part) for part in _parts(name, wanted)])
    if name == "$or":
        return models.Filter(should=[filter_of(part) for part in _parts(name, wanted)])
    if name.startswith("$"):
        raise ConfigError(f"a filter has no operator {name!r} at its top: use $and or $or")
    signs = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    return models.Filter(must=[_comparison(name, sign, value) for sign, value in signs.items()])


def _comparison(name: str, sign: str, value: Any) -> models.Condition:  # noqa: ANN401 - any JSON
    if sign in _ORDER:
        return _range(name, {sign.removeprefix("$"): value})
    if sign not in _COMPARISONS:
        raise ConfigError(f"a filter has no operator {sign!r}")
    return _COMPARISONS[sign](name, value)


def _equal(name: str, value: Any) -> models.Condition:  # noqa: ANN401 - any JSON
    """Numbers by range, as Qdrant's match takes no fractions and keeps 5 and 5.0 apart."""
    if isinstance(value, bool | str):
        return models.FieldCondition(key=name, match=models.MatchValue(value=value))
    return _range(name, {"gte": value, "lte": value})


def _among(name: str, values: Any) -> models.Condition:  # noqa: ANN401 - any JSON
    return models.Filter(should=[_equal(name, value) for value in _parts("$in", values)])


def _exists(name: str, value: object) -> models.Condition:
    empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=name))
    return _not(empty) if value else empty


def _range(name: str, limits: dict[str, Any]) -> models.Condition:
    if any(
        isinstance(value, bool) or not isinstance(value, int | float) for value in limits.values()
    ):
        raise ConfigError(f"the filter of {name!r} compares with something that is no number")
    return models.FieldCondition(key=name, range=models.Range(**limits))


def _other(name: str, condition: models.Condition) -> models.Condition:
    return models.Filter(must=[_exists(name, value=True)], must_not=[condition])


def _not(condition: models.Condition) -> models.Condition:
    return models.Filter(must_not=[condition])


def _parts(name: str, wanted: Any) -> Sequence[Any]:  # noqa: ANN401 - any JSON
    if not isinstance(wanted, list) or not wanted:
        raise ConfigError(f"{name} takes a list of at least one")
    return wanted


_COMPARISONS: dict[str, Callable[[str, Any], models.Condition]] = {
    "$eq": _equal,
    "$ne": lambda name, value: _other(name, _equal(name, value)),
    "$in": _among,
    "$nin": lambda name, value: _other(name, _among(name, value)),
    "$exists": _exists,
}
