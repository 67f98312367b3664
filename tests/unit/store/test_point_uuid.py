"""UUIDs of points: for ever the same, and different for different points."""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from worker.store.point_uuid import is_text, point_uuid

NAMES = st.text(alphabet="a:1#", max_size=6)


def test_a_uuid_never_changes() -> None:
    assert point_uuid("shop", "42") == "3b893197-aced-5d8f-99c1-3e9b4f912c2d"


@given(NAMES, NAMES, NAMES, NAMES)
def test_different_points_have_different_uuids(one: str, a: str, two: str, b: str) -> None:
    assert (point_uuid(one, a) == point_uuid(two, b)) == ((one, a) == (two, b))


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert is_text("ä🎧")
    assert not is_text("\ud83c")
    assert not is_text("")


@given(NAMES, NAMES)
def test_a_reader_can_work_it_out(namespace: str, point_id: str) -> None:
    name = f"vecsink:{len(namespace)}:{namespace}:{point_id}"
    assert point_uuid(namespace, point_id) == str(uuid5(NAMESPACE_OID, name))
