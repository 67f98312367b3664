"""The filter language against the shortest reading of its documentation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.pinecone_local.filters import compile_filter
from worker.pinecone_local.wire import Refusal

FIELDS = st.sampled_from(["a", "b", "c"])
TEXT = st.sampled_from(["", "x", "y", "1"])
NUMBER = st.integers(-2, 2) | st.sampled_from([0.5, 1.0, -1.5])
SCALAR = TEXT | NUMBER | st.booleans()
METADATA = st.dictionaries(FIELDS, SCALAR | st.lists(TEXT, max_size=3), max_size=3)

CONDITION = st.one_of(
    SCALAR,
    st.fixed_dictionaries({}, optional={"$eq": SCALAR, "$ne": SCALAR}).filter(bool),
    st.fixed_dictionaries({}, optional={"$gt": NUMBER, "$gte": NUMBER}).filter(bool),
    st.fixed_dictionaries({}, optional={"$lt": NUMBER, "$lte": NUMBER}).filter(bool),
    st.fixed_dictionaries({"$in": st.lists(TEXT | NUMBER, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(TEXT | NUMBER, max_size=3)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
)
EXPRESSION = st.recursive(
    st.dictionaries(FIELDS, CONDITION, max_size=2),
    lambda inner: (
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=6,
)


def same(left: Any, right: Any) -> bool:
    """Equal, and of one kind: text, truth or number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return isinstance(left, str) == isinstance(right, str) and bool(left == right)


def one_of(value: Any, members: list[Any]) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(same(item, member) for item in values for member in members)


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def holds(value: Any, name: str, operand: Any) -> bool:
    if name in ("$eq", "$ne"):
        return one_of(value, [operand]) is (name == "$eq")
    if name in ("$in", "$nin"):
        return one_of(value, operand) is (name == "$in")
    if not number(value):
        return False
    ordered: dict[str, bool] = {
        "$gt": value > operand,
        "$gte": value >= operand,
        "$lt": value < operand,
        "$lte": value <= operand,
    }
    return ordered[name]


def naive(expression: dict[str, Any], metadata: dict[str, Any]) -> bool:
    for key, value in expression.items():
        if key == "$and":
            passes = all(naive(item, metadata) for item in value)
        elif key == "$or":
            passes = any(naive(item, metadata) for item in value)
        else:
            operators = value if isinstance(value, dict) else {"$eq": value}
            passes = all(
                (key in metadata) is operand
                if name == "$exists"
                else key in metadata and holds(metadata[key], name, operand)
                for name, operand in operators.items()
            )
        if not passes:
            return False
    return True


def nested(times: int) -> dict[str, Any]:
    expression: dict[str, Any] = {"a": 1}
    for _ in range(times):
        expression = {"$or": [expression]}
    return expression


@given(EXPRESSION, METADATA)
def test_predicate_agrees_with_the_naive_reading(
    expression: dict[str, Any], metadata: dict[str, Any]
) -> None:
    assert compile_filter(expression)(metadata) is naive(expression, metadata)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("text", "Filter must be an object"),
        ({"$nor": []}, "only \\$and and \\$or are allowed at the top level"),
        ({"$and": []}, "must be followed by a list"),
        ({"$and": [1]}, "Filter must be an object"),
        ({"a": {}}, "illegal condition for field a"),
        ({"a": {"b": 1}}, "illegal condition for field a"),
        ({"a": {"$regex": "x"}}, "illegal condition for field a"),
        ({"a": None}, "\\$eq operator must be followed by a string, boolean or a number"),
        ({"a": ["x"]}, "\\$eq operator must be followed by"),
        ({"a": {"$ne": {}}}, "\\$ne operator must be followed by"),
        ({"a": {"$in": "x"}}, "\\$in operator must be followed by a list"),
        ({"a": {"$nin": [None]}}, "\\$nin operator must be followed by a list"),
        ({"a": {"$gt": "1"}}, "\\$gt operator must be followed by a number"),
        ({"a": {"$lte": True}}, "\\$lte operator must be followed by a number"),
        ({"a": {"$exists": "yes"}}, "\\$exists operator must be followed by a boolean"),
        ({"a": {"$in": ["x"] * 10_001}}, "at most 10000 values"),
        (nested(250), "nested more than 100 levels deep"),
    ],
)
def test_what_is_not_in_the_language_is_refused(expression: object, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        compile_filter(expression)


def test_empty_filter_matches_everything() -> None:
    assert compile_filter({})({})


def test_nesting_up_to_the_limit_is_evaluated() -> None:
    assert compile_filter(nested(48))({"a": 1})


@pytest.mark.parametrize("condition", [2**53 + 1, {"$in": [2**53 + 1]}, {"$lte": 2**53 + 1}])
def test_operand_is_rounded_to_a_double_as_the_stored_number_was(condition: object) -> None:
    assert compile_filter({"a": condition})({"a": float(2**53 + 1)})
