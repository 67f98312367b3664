"""Vectors in Qdrant's messages: as the client's own messages would hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import grpc as proto

from worker.model import Point
from worker.store.qdrant_grpc import request, vector_of
from worker.store.qdrant_points import prepared

if TYPE_CHECKING:
    from worker.model import Vector

NAMES = ["", "text"]
VECTORS = st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=300).map(
    lambda numbers: np.array(numbers, np.float32)
)


def answer(held: proto.VectorOutput, name: str) -> proto.VectorsOutput:
    if not name:
        return proto.VectorsOutput(vector=held)
    return proto.VectorsOutput(vectors=proto.NamedVectorsOutput(vectors={name: held}))


@pytest.mark.parametrize("name", NAMES)
@given(vector=VECTORS)
def test_a_vector_is_written_as_the_numbers_that_it_has(name: str, vector: Vector) -> None:
    one = prepared("n", Point("a", vector, {}, None), frozenset())
    vectors = request("shop", [one], name).points[0].vectors
    held = vectors.vectors.vectors[name] if name else vectors.vector
    assert held.WhichOneof("vector") == "dense"
    assert list(held.dense.data) == vector.tolist()


@pytest.mark.parametrize("name", NAMES)
@given(vector=VECTORS)
def test_a_vector_is_read_as_it_was_written(name: str, vector: Vector) -> None:
    held = proto.VectorOutput(dense=proto.DenseVector(data=vector.tolist()))
    found = vector_of(answer(held, name), name)
    assert found.dtype == np.float32
    assert found.tolist() == vector.tolist()


@given(vector=VECTORS)
def test_a_vector_of_an_older_server_is_read_where_that_puts_it(vector: Vector) -> None:
    held = proto.VectorOutput(data=vector.tolist())
    assert vector_of(answer(held, ""), "").tolist() == vector.tolist()


def test_what_a_newer_server_says_of_a_vector_is_no_number_of_it() -> None:
    written = proto.DenseVector(data=[1.0, 2.0]).SerializeToString()
    newer = b"\x10\x07"  # field 2, which is none yet
    held = proto.DenseVector.FromString(newer + written)
    found = vector_of(answer(proto.VectorOutput(dense=held), ""), "")
    assert found.tolist() == [1.0, 2.0]


def test_a_vector_that_somebody_has_taken_away_is_empty() -> None:
    assert vector_of(proto.VectorsOutput(), "").size == 0
    assert vector_of(proto.VectorsOutput(), "text").size == 0
