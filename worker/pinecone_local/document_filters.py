"""Filters of the documents interface: metadata conditions, and text matches where text is searched.

A vector or text field takes no comparison; ``$match_phrase``, ``$match_all`` and ``$match_any``
apply to text fields alone, and only in search and fetch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.filters import check_depth, compile_filter
from worker.pinecone_local.text_search import has_phrase, words
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.pinecone_local.filters import Predicate
    from worker.pinecone_local.shape import Shape


def metadata_filter(shape: Shape, expression: object) -> Predicate:
    """Compile a non-empty filter over metadata fields alone, as delete and update take it."""
    checked = _non_empty(expression)
    for name in _fields_of(checked):
        if name in shape.data_fields:
            raise _not_metadata(name)
    return compile_filter(checked)


def search_filter(shape: Shape, expression: object) -> Predicate:
    """Compile a non-empty filter that may also match words in text fields."""
    clauses = [_clause(shape, *item) for item in _non_empty(expression).items()]
    return lambda metadata: all(clause(metadata) for clause in clauses)


def _clause(shape: Shape, key: str, value: Any) -> Predicate:  # noqa: ANN401 - a JSON value
    if key in ("$and", "$or") and isinstance(value, list) and value:
        parts = [search_filter(shape, item) for item in value]
        quantifier = all if key == "$and" else any
        return lambda metadata: quantifier(part(metadata) for part in parts)
    if key in shape.text_fields:
        return _text_match(key, value)
    if key in shape.data_fields:
        raise _not_metadata(key)
    return compile_filter({key: value})


def _text_match(field: str, value: object) -> Predicate:
    operators = value if isinstance(value, dict) else {}
    if not operators or not set(operators) <= set(_MATCHES):
        raise _not_metadata(field)
    for name, text in operators.items():
        if not isinstance(text, str) or not words(text):
            raise invalid(f"the {name} operator must be followed by a text with words")
    tests = [(_MATCHES[name], words(text)) for name, text in operators.items()]

    def matches(metadata: Mapping[str, Any]) -> bool:
        having = words(metadata.get(field, ""))
        return all(test(having, wanted) for test, wanted in tests)

    return matches


_MATCHES: dict[str, Callable[[Sequence[str], Sequence[str]], bool]] = {
    "$match_phrase": has_phrase,
    "$match_all": lambda having, wanted: set(wanted) <= set(having),
    "$match_any": lambda having, wanted: bool(set(wanted) & set(having)),
}


def _non_empty(expression: object) -> dict[str, Any]:
    if not isinstance(expression, dict) or not expression:
        raise invalid("The 'filter' field must be a non-empty object of filter predicates")
    check_depth(expression)
    return expression


def _fields_of(expression: object) -> set[str]:
    """Every field that a filter names."""
    if isinstance(expression, list):
        return set().union(*map(_fields_of, expression))
    if not isinstance(expression, dict):
        return set()
    names = {key for key in expression if not key.startswith("$")}
    inner = [expression[key] for key in ("$and", "$or") if key in expression]
    return names.union(*map(_fields_of, inner))


def _not_metadata(field: str) -> Exception:
    return invalid(f"Field '{field}' is not a metadata field and cannot be filtered on so")
