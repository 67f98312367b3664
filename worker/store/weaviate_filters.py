"""Filters in Pinecone's language (see ``worker.store.filters``) as Weaviate's.

Only by properties that the collection has, as the rest of the metadata is not indexed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from weaviate.proto.v1 import base_pb2

from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # the messages describe themselves, so a checker sees names of the stub alone
    Operator: TypeAlias = base_pb2.Filters.Operator

    from worker.store.weaviate_config import PropertyType

Filters = base_pb2.Filters
FilterTarget = base_pb2.FilterTarget

_ORDER: Final = {
    "$gt": Filters.OPERATOR_GREATER_THAN,
    "$gte": Filters.OPERATOR_GREATER_THAN_EQUAL,
    "$lt": Filters.OPERATOR_LESS_THAN,
    "$lte": Filters.OPERATOR_LESS_THAN_EQUAL,
}


def filter_of(where: Mapping[str, Any], typed: Mapping[str, PropertyType]) -> Filters:
    """A filter in the form of the protocol.

    Raises:
        ConfigError: it is none, or names a property that does not exist.
    """
    return _Translation(typed).all(where)


def by_uuid(uuids: Sequence[str]) -> Filters:
    """The points of these UUIDs."""
    wanted = Filters(operator=Filters.OPERATOR_CONTAINS_ANY, target=FilterTarget(property="_id"))
    wanted.value_text_array.values.extend(uuids)
    return wanted


class _Translation:
    """What holds for a whole filter."""

    def __init__(self, typed: Mapping[str, PropertyType]) -> None:
        self._typed = typed

    def all(self, where: Mapping[str, Any]) -> Filters:
        return _joined(
            Filters.OPERATOR_AND, [self._part(name, wanted) for name, wanted in where.items()]
        )

    def _part(self, name: str, wanted: Any) -> Filters:  # noqa: ANN401 - any JSON
        if name == "$and":
            return _joined(Filters.OPERATOR_AND, [self.all(part) for part in _parts(name, wanted)])
        if name == "$or":
            return _joined(Filters.OPERATOR_OR, [self.all(part) for part in _parts(name, wanted)])
        if name.startswith("$"):
            raise ConfigError(f"a filter has no operator {name!r} at its top: use $and or $or")
        if name not in self._typed:
            known = ", ".join(sorted(self._typed)) or "none"
            raise ConfigError(
                f"the filter names {name!r}, which is none of store.properties: {known}"
            )
        signs = wanted if isinstance(wanted, dict) else {"$eq": wanted}
        return _joined(
            Filters.OPERATOR_AND,
            [self._comparison(name, sign, value) for sign, value in signs.items()],
        )

    def _comparison(self, name: str, sign: str, value: Any) -> Filters:  # noqa: ANN401 - any JSON
        if sign in _ORDER:
            return self._compared(name, _ORDER[sign], _number(name, value))
        if sign == "$exists":
            return _is_null(name, value=not value)
        if sign in {"$eq", "$ne"}:
            value, sign = [value], {"$eq": "$in", "$ne": "$nin"}[sign]
        if sign not in {"$in", "$nin"}:
            raise ConfigError(f"a filter has no operator {sign!r}")
        among = _joined(
            Filters.OPERATOR_OR,
            [self._compared(name, Filters.OPERATOR_EQUAL, one) for one in _parts(sign, value)],
        )
        if sign == "$in":
            return among
        return _joined(Filters.OPERATOR_AND, [_is_null(name, value=False), _not(among)])

    def _compared(self, name: str, operator: Operator, value: Any) -> Filters:  # noqa: ANN401
        wanted = Filters(operator=operator, target=FilterTarget(property=name))
        kind = self._typed[name]
        if kind == "boolean" and isinstance(value, bool):
            wanted.value_boolean = value
        elif kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            wanted.value_number = value
        elif kind.startswith("text") and isinstance(value, str):
            wanted.value_text = value
        else:
            raise ConfigError(f"the filter compares {name!r}, a {kind}, with something else")
        return wanted


def _joined(operator: Operator, parts: Sequence[Filters]) -> Filters:
    return parts[0] if len(parts) == 1 else Filters(operator=operator, filters=parts)


def _not(part: Filters) -> Filters:
    return Filters(operator=Filters.OPERATOR_NOT, filters=[part])


def _is_null(name: str, *, value: bool) -> Filters:
    return Filters(
        operator=Filters.OPERATOR_IS_NULL,
        target=FilterTarget(property=name),
        value_boolean=value,
    )


def _number(name: str, value: Any) -> float:  # noqa: ANN401 - any JSON
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"the filter of {name!r} compares with something that is no number")
    return value


def _parts(name: str, wanted: Any) -> Sequence[Any]:  # noqa: ANN401 - any JSON
    if not isinstance(wanted, list) or not wanted:
        raise ConfigError(f"{name} takes a list of at least one")
    return wanted
