"""The stamp survives being metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.model import Position, Stamp
from worker.store.stamp import stamp_of, stamped, users

EXACT = 2**53
names = st.text(min_size=1, max_size=12).filter(lambda name: not name.startswith("_"))
values = st.one_of(
    st.text(max_size=12),
    st.booleans(),
    st.integers(-EXACT, EXACT),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=5), max_size=3),
)
stamps = st.builds(
    Stamp,
    fingerprint=st.text(max_size=32),
    position=st.builds(
        Position,
        topic_id=st.text(max_size=24),
        partition=st.integers(0, 2**31 - 1),
        offset=st.integers(0, EXACT),
    ),
    model=st.text(max_size=30),
    source_position=st.none() | st.integers(0, EXACT),
) | st.builds(
    Stamp,
    fingerprint=st.text(max_size=32),
    position=st.just(Position("t", 1, 2)),
    model=st.text(max_size=30),
    document=st.text(max_size=32),
    chunks=st.integers(1, 10**6),
)


def as_pinecone_keeps_it(stored: dict[str, Any]) -> dict[str, Any]:
    """Numbers come back as doubles."""
    return {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in json.loads(json.dumps(stored)).items()
    }


@given(stamps, st.dictionaries(names, values, max_size=4))
def test_stamp_and_metadata_come_back(stamp: Stamp, metadata: dict[str, Any]) -> None:
    stored = stamped(metadata, stamp)
    for kept in (stored, as_pinecone_keeps_it(stored)):
        assert stamp_of(kept) == stamp
        assert users(kept) == metadata


@given(st.dictionaries(names, values, max_size=4))
def test_a_foreign_point_has_no_stamp(metadata: dict[str, Any]) -> None:
    assert stamp_of(metadata) is None
    assert users(metadata) == metadata


@pytest.mark.parametrize(
    "damage",
    [{"_fp": None}, {"_tp": 5}, {"_tp": "topic:x"}, {"_off": "x"}, {"_off": [1]}, {"_src": "x"}],
    ids=str,
)
def test_a_damaged_stamp_is_none(damage: dict[str, Any]) -> None:
    whole = stamped({}, Stamp("f", Position("t", 1, 2), "m", 3))
    damaged = {name: value for name, value in (whole | damage).items() if value is not None}
    assert stamp_of(damaged) is None
