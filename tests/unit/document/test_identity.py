"""Point ids, patterns, places and collisions between topics."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from worker.document.collision import check_identity
from worker.document.identity import MAX_ID, PointIds, chunk_id
from worker.document.pattern import parse_id, parse_namespace
from worker.document.place import Place
from worker.errors import ConfigError
from worker.model import Key

PLACE = Place("shop.public.products", "shop", "public", "products")


def id_of(*values: Any, pattern: str = "${key}", place: Place = PLACE) -> str:
    key = Key(place.topic, tuple((f"c{n}", value) for n, value in enumerate(values)))
    return PointIds(parse_id(pattern)).of(place, key)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((42,), "42"),
        ((-42,), "-42"),
        (("eu", 7), "eu_7"),
        (("SKU_12",), "SKU_12"),
        (("a_b", "c"), "a%5Fb_c"),
        (("a", "b_c"), "a_b%5Fc"),
        (("6f2b0c2e-8a3f-4a51-9d5e-1c2b3a4d5e6f",), "6f2b0c2e-8a3f-4a51-9d5e-1c2b3a4d5e6f"),
        ((Decimal("12.50"),), "12.5"),
        ((Decimal(100),), "100"),
        ((Decimal("-0.0"),), "0"),
        ((date(2026, 11, 23), True), "2026-11-23_true"),
        ((b"\x00\xff",), "00ff"),
        (("42#1",), "42%231"),
        (("50%",), "50%25"),
        (("Müller Söhne",), "M%C3%BCller%20S%C3%B6hne"),
        (("", None), "%empty_%null"),
    ],
)
def test_an_id_is_readable(values: tuple[Any, ...], expected: str) -> None:
    assert id_of(*values) == expected


SCALAR_COLUMNS: list[st.SearchStrategy[Any]] = [
    st.text(st.sampled_from("a_%#: ü\x00\ud800é5FN~")),
    st.text(),
    st.integers(),
    st.booleans(),
    st.binary(max_size=8),
    st.dates(),
    st.datetimes(),
    st.uuids().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    st.floats(allow_nan=False),
]


@st.composite
def two_keys_of_one_table(draw: st.DrawFn) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    columns = draw(st.lists(st.sampled_from(SCALAR_COLUMNS), min_size=1, max_size=3))
    row = st.tuples(*(st.none() | column for column in columns))
    return draw(row), draw(row)


@given(two_keys_of_one_table())
@example((("a_b", "c"), ("a", "b_c")))
@example((("", None), (None, "")))
@example((("%null",), (None,)))
@example((("%empty",), ("",)))
@example((("é",), ("%C3%A9",)))
@example((("x" * 600 + "a",), ("x" * 600 + "b",)))
def test_two_rows_have_one_id_exactly_if_their_keys_are_equal(
    keys: tuple[tuple[Any, ...], tuple[Any, ...]],
) -> None:
    one, other = keys
    assume(not any(isinstance(v, float) and v == 0 for v in one + other))  # -0.0 == 0.0
    assert (id_of(*one) == id_of(*other)) == (one == other)


@given(st.lists(st.text() | st.integers() | st.none(), min_size=1))
def test_an_id_is_ascii_short_and_no_chunk(values: list[Any]) -> None:
    point_id = id_of(*values)
    assert re.fullmatch(r"[!-~]{1,512}", point_id)
    assert "#" not in point_id
    chunk = chunk_id(point_id, 10**9)
    assert re.fullmatch(r"[!-~]{1,512}", chunk)
    assert chunk.partition("#")[0] == point_id


def test_arrays_that_differ_have_different_ids() -> None:
    arrays = [(), ("",), (None,), ("null",), ("a",), ("a", ""), ("", "a"), ("a", "b"), ("a, b",)]
    assert len({id_of(array) for array in arrays}) == len(arrays)
    assert id_of(("a", "b")) == '["a","b"]'


def test_a_long_key_keeps_its_head_and_gets_a_hash() -> None:
    long = "x" * 1000
    point_id = id_of(long)
    assert len(point_id) == MAX_ID
    assert re.fullmatch(r"x+%~[\w-]{22}", point_id)
    assert point_id != id_of(long + "x")
    assert id_of("x" * MAX_ID) == "x" * MAX_ID


NAMES = st.text(st.sampled_from("ab_-.:1"), min_size=1, max_size=5)


@given(
    st.sampled_from(
        [
            "${table}_${key}",
            "${table}:${key}",
            "${schema}-${table}:x:${key}",
            "${key}:${table}",
            "p-${topic}--${key}-s",
        ]
    ),
    st.lists(
        st.tuples(NAMES, NAMES, st.lists(NAMES, min_size=2, max_size=2)), min_size=2, max_size=2
    ),
)
def test_variables_cannot_run_into_each_other(pattern: str, rows: Any) -> None:
    ids, meant = [], []
    for schema, table, key in rows:
        place = Place(f"{schema}/{table}", "db", schema, table)
        ids.append(id_of(*key, pattern=pattern, place=place))
        meant.append((table, schema if "schema" in pattern or "topic" in pattern else "", key))
    assert (ids[0] == ids[1]) == (meant[0] == meant[1])


def test_an_id_pattern_is_filled_per_table() -> None:
    order_items = Place("shop.public.order_items", "shop", "public", "order_items")
    assert id_of(42, pattern="${table}:${key}", place=order_items) == "order_items:42"
    assert id_of(42, pattern="${table}_${key}", place=order_items) == "order%5Fitems_42"
    assert id_of(42, pattern="$$${topic}/${key}") == "$shop.public.products/42"


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("${tabel}:${key}", r"\$\{tabel\} at character 1 is not known; did you mean \$\{table\}"),
        ("row", r"needs \$\{key\} exactly once"),
        ("${key}-${key}", r"needs \$\{key\} exactly once"),
        ("${table}${key}", "needs a separator"),
        ("${table}x${key}", "needs a separator"),
        ("${key}_${table}", "'_' joins the columns"),
        ("${key}#1", "'#' marks chunks"),
        ("${key", "at character 1 is never closed"),
        ("cost$ ${key}", "at character 5 stands alone"),
        ("ü${key}", "printable ASCII"),
        ("", "is empty"),
    ],
)
def test_a_wrong_id_pattern_says_where(pattern: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"store.id: .*{complaint}"):
        parse_id(pattern)


def test_a_namespace_has_no_key() -> None:
    with pytest.raises(ConfigError, match=r"store.namespace: \$\{key\} at character 3.*known are"):
        parse_namespace("a-${key}")


def test_a_namespace_is_filled_from_the_place() -> None:
    assert (
        parse_namespace("${db}.${schema}.${table}-$$v1").fill(PLACE) == "shop.public.products-$v1"
    )


TWO = ["p.public.items", "p.audit.items"]


@pytest.mark.parametrize(
    ("namespace", "point_id", "topics"),
    [
        ("${topic}", "${key}", TWO),
        ("all", "${topic}:${key}", TWO),
        ("all", "${schema}.${table}:${key}", TWO),
        ("${schema}", "${key}", TWO),
        ("all", "${table}:${key}", ["p.public.a", "p.public.b"]),
        ("all", "${key}", ["p.public.a"]),
        ("all", "${key}", ["p.public.a", "p.public.a"]),
        ("all", "${table}:${key}", re.compile("p.*")),
        ("${topic}", "${key}", re.compile("p.*")),
    ],
)
def test_names_that_tell_topics_apart_are_fine(namespace: str, point_id: str, topics: Any) -> None:
    check_identity(parse_namespace(namespace), parse_id(point_id), topics)


@pytest.mark.parametrize(
    ("namespace", "point_id", "topics"),
    [
        ("all", "${key}", TWO),
        ("${table}", "${key}", TWO),
        ("all", "${table}:${key}", TWO),
        ("${db}", "${table}:${key}", TWO),
        ("all", "${key}", ["short", "other"]),
        ("all", "${key}", re.compile("p.*")),
        ("${db}", "${schema}:${key}", re.compile("p.*")),
    ],
)
def test_names_under_which_topics_would_meet_are_refused(
    namespace: str, point_id: str, topics: Any
) -> None:
    with pytest.raises(ConfigError, match=r"store.id: .*\$\{topic\}"):
        check_identity(parse_namespace(namespace), parse_id(point_id), topics)
