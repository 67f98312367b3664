"""One namespace against a dictionary and a plain loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.pinecone_local.filters import compile_filter
from worker.pinecone_local.records import Batch, Metric, Patch, Query, Sparse
from worker.pinecone_local.vectors import Namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

DIMENSION = 3
IDS = st.sampled_from([f"{letter}{digit}" for letter in "abc" for digit in "0123456789"])
VALUES = st.lists(st.integers(-4, 4), min_size=DIMENSION, max_size=DIMENSION).filter(any)
WRITES = st.lists(
    st.tuples(st.just("put"), IDS, VALUES)
    | st.tuples(st.just("patch"), IDS, VALUES)
    | st.tuples(st.just("remove"), IDS, st.none()),
    max_size=120,
)


def batch(rows: Sequence[tuple[str, Sequence[float]]], metadata: Any = None) -> Batch:
    return Batch(
        ids=[row[0] for row in rows],
        values=np.array([row[1] for row in rows], dtype=np.float32).reshape(len(rows), -1),
        dense=np.full(len(rows), fill_value=True),
        sparse=[None] * len(rows),
        metadata=metadata or [None] * len(rows),
    )


def filled(writes: Sequence[tuple[str, str, Any]]) -> tuple[Namespace, dict[str, list[int]]]:
    namespace, model = Namespace(DIMENSION), dict[str, list[int]]()
    for kind, record_id, values in writes:
        if kind == "put":
            namespace.put(batch([(record_id, values)]))
            model[record_id] = values
        elif kind == "patch":
            namespace.patch(record_id, Patch(values=np.array(values, dtype=np.float32)))
            if record_id in model:
                model[record_id] = values
        else:
            namespace.remove([record_id])
            model.pop(record_id, None)
    return namespace, model


def score(metric: Metric, left: Sequence[float], right: Sequence[float]) -> float:
    one, two = np.array(left, dtype=float), np.array(right, dtype=float)
    if metric is Metric.EUCLIDEAN:
        return float(((one - two) ** 2).sum())
    product = float(one @ two)
    if metric is Metric.DOTPRODUCT:
        return product
    return product / float(np.linalg.norm(one) * np.linalg.norm(two))


@given(WRITES)
def test_records_are_those_of_a_dictionary(writes: list[tuple[str, str, Any]]) -> None:
    namespace, model = filled(writes)

    assert len(namespace) == len(model)
    assert namespace.ids() == sorted(model)
    for record_id, values in model.items():
        record = namespace.get(record_id)
        assert record is not None
        assert record.values is not None
        assert record.values.tolist() == values


@given(WRITES, VALUES, st.sampled_from(list(Metric)), st.integers(1, 40))
def test_search_is_that_of_a_plain_loop(
    writes: list[tuple[str, str, Any]], query: list[int], metric: Metric, limit: int
) -> None:
    namespace, model = filled(writes)
    sign = 1 if metric is Metric.EUCLIDEAN else -1
    expected = sorted(
        (sign * float(np.float32(score(metric, values, query))), record_id)
        for record_id, values in model.items()
    )

    hits = namespace.search(Query(np.array(query, dtype=np.float32), None), metric, limit)

    assert [hit.id for hit in hits] == [record_id for _, record_id in expected[:limit]]
    assert [float(hit.score) for hit in hits] == pytest.approx(
        [sign * value for value, _ in expected[:limit]], abs=1e-6
    )


@given(WRITES, st.sampled_from(["", "a", "b1", "zz"]), IDS, st.integers(1, 10))
def test_listing_is_a_slice_of_the_sorted_ids(
    writes: list[tuple[str, str, Any]], prefix: str, after: str, limit: int
) -> None:
    namespace, model = filled(writes)
    expected = [item for item in sorted(model) if item.startswith(prefix) and item > after]

    assert namespace.ids(prefix=prefix, after=after, limit=limit) == expected[:limit]


def test_rows_of_deleted_records_are_used_again() -> None:
    namespace = Namespace(2)
    for _ in range(50):
        namespace.put(batch([(f"r{number}", [1.0, number]) for number in range(60)]))
        namespace.remove([f"r{number}" for number in range(60)])

    assert namespace.ids() == []
    assert len(namespace._live) == 64


def test_equal_vectors_score_equally_wherever_they_are() -> None:
    generator = np.random.default_rng(7)
    vector = generator.standard_normal(33)
    rows = [(f"r{number:04}", vector.tolist()) for number in range(301)]
    namespace = Namespace(33)
    namespace.put(batch(rows))
    query = Query(generator.standard_normal(33).astype(np.float32), None)

    hits = namespace.search(query, Metric.COSINE, 100)

    assert len({float(hit.score) for hit in hits}) == 1
    assert [hit.id for hit in hits] == [f"r{number:04}" for number in range(100)]


def test_filter_looks_at_metadata_alone() -> None:
    namespace = Namespace(2)
    rows = [("a", [1.0, 0.0]), ("b", [0.0, 1.0]), ("c", [1.0, 1.0])]
    namespace.put(batch(rows, [{"n": 1}, {"n": 2}, None]))
    keep = compile_filter({"n": {"$gte": 1}})
    query = Query(np.array([0.0, 1.0], dtype=np.float32), None)

    assert [hit.id for hit in namespace.search(query, Metric.COSINE, 9, keep)] == ["b", "a"]
    assert namespace.matching(keep) == ["a", "b"]
    assert namespace.matching(keep, after="a") == ["b"]


def test_zero_query_is_unlike_everything_in_cosine() -> None:
    namespace = Namespace(2)
    namespace.put(batch([("a", [1.0, 0.0])]))
    hits = namespace.search(Query(np.zeros(2, dtype=np.float32), None), Metric.COSINE, 1)

    assert [(hit.id, float(hit.score)) for hit in hits] == [("a", 0.0)]


def test_sparse_vector_is_replaced_and_removed() -> None:
    namespace = Namespace(2)
    namespace.put(batch([("a", [1.0, 0.0])]))
    namespace.patch("a", Patch(sparse=Sparse((1, 2), (0.5, 0.5))))
    namespace.patch("a", Patch(sparse=Sparse((2,), (2.0,))))

    def hits(index: int) -> list[tuple[str, float]]:
        query = Query(None, Sparse((index,), (3.0,)))
        found = namespace.search(query, Metric.DOTPRODUCT, 5)
        return [(hit.id, float(hit.score)) for hit in found]

    assert hits(1) == []
    assert hits(2) == [("a", 6.0)]
    namespace.patch("a", Patch(drop_sparse=True))
    assert hits(2) == []
    assert "a" in namespace


def test_patch_removes_metadata_by_name() -> None:
    namespace = Namespace(2)
    namespace.put(batch([("a", [1.0, 0.0])], [{"x": 1, "y": 2}]))
    namespace.patch("a", Patch(set_metadata={"z": 3}, remove=["x"]))

    record = namespace.get("a")
    assert record is not None
    assert record.metadata == {"y": 2, "z": 3}
