"""Vectors, ids and metadata as they come in JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.pinecone_local.metadata import (
    METADATA_BYTES_MAX,
    check_id,
    check_metadata,
    check_namespace,
    check_namespace_schema,
)
from worker.pinecone_local.records import Batch
from worker.pinecone_local.values import dense_rows, sparse_vector
from worker.pinecone_local.wire import Refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(st.lists(st.floats(1, 100, width=32), min_size=2, max_size=2), min_size=1))
def test_numbers_become_float32_rows(lists: list[list[float]]) -> None:
    rows = dense_rows(lists, 2, [str(at) for at in range(len(lists))])

    assert rows.dtype == np.float32
    assert rows.tolist() == lists


@given(st.lists(JSON, min_size=1, max_size=4))
def test_any_json_becomes_rows_or_a_refusal(lists: list[Any]) -> None:
    try:
        rows = dense_rows(lists, 2, [str(at) for at in range(len(lists))])
    except Refusal:
        return
    assert rows.shape == (len(lists), 2)
    assert np.isfinite(rows).all()


@given(JSON)
def test_any_json_is_metadata_or_a_refusal(value: Any) -> None:
    try:
        checked = check_metadata(value)
    except Refusal:
        return
    assert checked is None or isinstance(checked, dict)


@given(JSON)
def test_any_json_is_sparse_or_a_refusal(value: Any) -> None:
    with pytest.raises(Refusal):
        sparse_vector(value)


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ([[1.0, 2.0], [1.0]], "Vector dimension 1 does not match the dimension of the index 2"),
        ([[1.0, 2.0], []], "Vector dimension 0 does not match the dimension of the index 2"),
        ([[1.0, None]], "got null at 1"),
        ([[1.0, 1e39]], "finite"),
        ([[1.0, 2.0], [0.0, 1e-9]], "Vector ID 'id1' contains only zeros"),
        ([["a", "b"]], "list of numbers"),
        ([["1", "2"]], "list of numbers"),
        ([[True, False]], "list of numbers"),
        ([[[1.0], [2.0]]], "list of numbers"),
        (["ab"], "list of numbers"),
        ([None], "list of numbers"),
    ],
)
def test_culprit_of_a_batch_is_named(lists: list[Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        dense_rows(lists, 2, [f"id{at}" for at in range(len(lists))])


def test_smallest_magnitude_that_is_not_zero_is_1e_8() -> None:
    assert dense_rows([[0.0, -2e-8]], 2, ["a"]).shape == (1, 2)


@pytest.mark.parametrize("value", ["", "é", "a\x00b", "x" * 513, 7, None, ["a"]])
def test_bad_id_is_refused(value: object) -> None:
    with pytest.raises(Refusal, match="Vector ID must"):
        check_id(value)


@pytest.mark.parametrize("value", ["a", "x" * 512, " ", "\x01", "\x7f", "a/b"])
def test_good_id_is_kept(value: str) -> None:
    assert check_id(value) == value


def test_unnamed_namespace_is_the_default_one() -> None:
    assert check_namespace(None) == check_namespace("") == check_namespace("__default__")
    for bad in ("é", "a\x00", "n" * 513, 5):
        with pytest.raises(Refusal, match="Namespace must be"):
            check_namespace(bad)


def test_metadata_is_measured_as_json() -> None:
    frame = len(orjson.dumps({"t": ""}))
    assert check_metadata({"t": "x" * (METADATA_BYTES_MAX - frame)}) is not None
    with pytest.raises(Refusal, match="metadata size is 40961 bytes"):
        check_metadata({"t": "x" * (METADATA_BYTES_MAX - frame + 1)})


def test_integers_are_doubles() -> None:
    checked = check_metadata({"small": 2**53, "large": 2**53 + 1})

    assert checked == {"small": 2**53, "large": float(2**53 + 1)}
    assert isinstance(checked["large"], float)


@pytest.mark.parametrize("config", [{"filterable": False}, {}, None, {"filterable": "yes"}])
def test_namespace_schema_can_only_say_filterable(config: object) -> None:
    with pytest.raises(Refusal, match="filterable"):
        check_namespace_schema({"fields": {"a": config}})


def test_batch_of_559_with_500_bytes_of_metadata_is_just_below_two_megabytes() -> None:
    """The table of batch sizes in Pinecone's documentation on upserting."""
    metadata = {"t": "x" * (500 - len(orjson.dumps({"t": ""})))}

    def size(rows: int) -> int:
        return Batch(
            ids=[""] * rows,
            values=np.ones((rows, 768), dtype=np.float32),
            dense=np.full(rows, fill_value=True),
            sparse=[None] * rows,
            metadata=[metadata] * rows,
        ).size

    assert size(559) <= 2_000_000 < size(560)
