"""Pinecone's metadata filter language, compiled to a predicate over one record's metadata.

A subset of MongoDB's selectors: https://docs.pinecone.io/guides/search/filter-by-metadata.
Where the field holds a list of strings, a comparison asks whether one of them equals the operand.
``$ne`` and ``$nin`` match only records that have the field, as Pinecone serverless does
(observed by deepset-ai/haystack-core-integrations issue 590); ``$exists: false`` finds the others.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from worker.pinecone_local.metadata import as_double, is_number
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Predicate: TypeAlias = Callable[[Mapping[str, Any]], bool]
    _Test: TypeAlias = Callable[[Any], bool]

MEMBERS_MAX = 10_000
DEPTH_MAX = 100
"""Levels of objects and lists; bounds the recursion here, Pinecone names no number."""
_ABSENT = object()
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def compile_filter(expression: object) -> Predicate:
    """Turn a filter into a predicate; an empty filter matches everything.

    Raises:
        Refusal: The expression is not in the language (400).
    """
    if not isinstance(expression, dict):
        raise invalid(f"Filter must be an object, got {_shown(expression)}")
    check_depth(expression)
    clauses = [_clause(key, value) for key, value in expression.items()]
    return _all(clauses)


def check_depth(expression: object) -> None:
    """Refuse an expression that is nested too deep to be compiled."""
    level = [expression]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise invalid(f"Filter is nested more than {DEPTH_MAX} levels deep")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _clause(key: str, value: object) -> Predicate:
    if key in ("$and", "$or"):
        return _combination(key, value)
    if key.startswith("$"):
        raise invalid(f"only $and and $or are allowed at the top level, got {key}")
    return _condition(key, value)


def _combination(key: str, value: object) -> Predicate:
    if not isinstance(value, list) or not value:
        raise invalid(f"the {key} operator must be followed by a list, got {_shown(value)} instead")
    clauses = [compile_filter(item) for item in value]
    return _all(clauses) if key == "$and" else _any(clauses)


def _condition(field: str, value: object) -> Predicate:
    operators = value if isinstance(value, dict) else {"$eq": value}
    if not operators or not all(name.startswith("$") for name in operators):
        raise invalid(f"illegal condition for field {field}, got {_shown(value)}")
    return _all([_operator(field, name, operand) for name, operand in operators.items()])


def _operator(field: str, name: str, operand: object) -> Predicate:
    if name == "$exists":
        return _exists(field, operand)
    if name in ("$eq", "$ne"):
        test = _equals(name, operand)
    elif name in ("$in", "$nin"):
        test = _member(name, operand)
    elif name in _ORDER:
        test = _ordered(name, operand)
    else:
        raise invalid(f"illegal condition for field {field}, got {_shown({name: operand})}")
    return _field(field, _negated(test) if name in ("$ne", "$nin") else test)


def _exists(field: str, operand: object) -> Predicate:
    if not isinstance(operand, bool):
        raise _operand_error("$exists", "a boolean", operand)
    return lambda metadata: (field in metadata) is operand


def _equals(name: str, operand: object) -> _Test:
    if not isinstance(operand, str | int | float):
        raise _operand_error(name, "a string, boolean or a number", operand)
    key = _typed(operand)
    return lambda value: operand in value if isinstance(value, list) else _typed(value) == key


def _member(name: str, operand: object) -> _Test:
    members = operand if isinstance(operand, list) else [None]
    if not all(isinstance(item, str | int | float) for item in members):
        raise _operand_error(name, "a list of strings or a list of numbers", operand)
    if len(members) > MEMBERS_MAX:
        raise invalid(f"the {name} operator takes at most {MEMBERS_MAX} values")
    keys = {_typed(item) for item in members}
    return lambda value: (
        any(_typed(item) in keys for item in value)
        if isinstance(value, list)
        else _typed(value) in keys
    )


def _ordered(name: str, operand: Any) -> _Test:  # noqa: ANN401 - a JSON value
    if not is_number(operand):
        raise _operand_error(name, "a number", operand)
    compare, bound = _ORDER[name], as_double(operand)
    return lambda value: is_number(value) and compare(value, bound)


def _typed(value: object) -> tuple[type, object]:
    """Keep strings, booleans and numbers apart: ``True`` is not 1, ``"1"`` is not 1."""
    if isinstance(value, bool):
        return (bool, value)
    return (float, as_double(value)) if isinstance(value, int | float) else (str, value)


def _negated(test: _Test) -> _Test:
    return lambda value: not test(value)


def _field(field: str, test: _Test) -> Predicate:
    def holds(metadata: Mapping[str, Any]) -> bool:
        value = metadata.get(field, _ABSENT)
        return value is not _ABSENT and test(value)

    return holds


def _all(clauses: list[Predicate]) -> Predicate:
    if len(clauses) == 1:
        return clauses[0]
    return lambda metadata: all(clause(metadata) for clause in clauses)


def _any(clauses: list[Predicate]) -> Predicate:
    return lambda metadata: any(clause(metadata) for clause in clauses)


def _operand_error(name: str, wanted: str, operand: object) -> Exception:
    return invalid(
        f"the {name} operator must be followed by {wanted}, got {_shown(operand)} instead"
    )


def _shown(value: object) -> str:
    return orjson.dumps(value).decode()[:100]
