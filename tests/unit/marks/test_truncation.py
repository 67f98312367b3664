"""What a truncate covers: by position on one server, by time between servers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from worker.document.place import Place, place_of
from worker.marks.truncation import Truncation, key_of, truncation_of
from worker.model import Change, Key, Op, Origin, Point, Position, Record, Stamp

TOPIC = "shop.public.products"
MINUTE_MS = 60_000


def origin(
    position: int | None = 100,
    committed_ms: int | None = 1_000_000,
    *,
    table: str | None = "products",
    connector: str = "postgresql",
    schema: str = "public",
) -> Origin:
    return Origin(connector, "shop", schema, table, committed_ms, position)


def change(source: Origin, topic: str = TOPIC) -> Change:
    return Change(Record(topic, 0, 1, b"k", b"v"), Key(topic, (("id", 1),)), Op.CREATE, {}, source)


def point(position: int | None, updated_at: int | None, table: str = "products") -> Point:
    metadata = {"source_table": table} | ({} if updated_at is None else {"updated_at": updated_at})
    stamp = Stamp("f", Position("id", 0, 1), "m", position)
    return Point("1", np.zeros(1, np.float32), metadata, stamp)


MARK = Truncation(TOPIC, "id", origin())


def test_on_one_server_the_position_decides_also_against_the_clock() -> None:
    assert MARK.covers(change(origin(99, 1_000_000 + 500)))
    assert not MARK.covers(change(origin(101, 1_000_000 - 500)))


def test_rows_of_the_truncates_own_transaction_stay_if_they_came_after_it() -> None:
    assert MARK.covers(change(origin(99)))
    assert not MARK.covers(change(origin(100)))
    assert not MARK.covers(change(origin(101)))


def test_a_commit_far_away_decides_by_itself_as_the_table_has_moved_to_another_server() -> None:
    later, before = 1_000_000 + MINUTE_MS + 1, 1_000_000 - MINUTE_MS - 1
    assert not MARK.covers(change(origin(5, later)))
    assert MARK.covers(change(origin(10_000, before)))


def test_positions_of_another_kind_of_database_do_not_compare() -> None:
    assert not MARK.covers(change(origin(5, 1_000_001, connector="mysql")))
    assert MARK.covers(change(origin(500, 999_999, connector="mysql")))


def test_without_positions_only_a_strictly_older_commit_is_covered() -> None:
    assert MARK.covers(change(origin(None, 999_999)))
    assert not MARK.covers(change(origin(None, 1_000_000)))


def test_what_says_neither_position_nor_time_is_not_covered() -> None:
    assert not MARK.covers(change(Origin(table="products", schema="public")))
    assert MARK.is_after(point(None, None)) is None


def test_other_tables_of_the_topic_and_other_topics_are_not_covered() -> None:
    assert not MARK.covers(change(origin(1, table="customers")))
    assert not MARK.covers(change(origin(1, schema="archive")))
    assert not MARK.covers(change(origin(1), "shop.public.customers"))


def test_a_flattened_row_is_of_the_table_that_its_topic_names() -> None:
    assert MARK.covers(change(Origin(position=99)))
    assert not Truncation("products", "id", origin()).covers(change(Origin(position=99)))


def test_points_compare_like_changes() -> None:
    assert MARK.is_after(point(99, 1_000_000)) is True
    assert MARK.is_after(point(100, 1_000_000)) is False
    assert MARK.is_after(point(None, 999_999)) is True
    assert MARK.is_after(point(99, None)) is True
    assert MARK.is_after(Point("1", np.zeros(1, np.float32), {}, None)) is None


def test_points_of_other_tables_are_not_its() -> None:
    assert MARK.holds(point(1, 1))
    assert not MARK.holds(point(1, 1, "customers"))


@given(
    st.builds(
        origin,
        st.none() | st.integers(0, 2**53),
        st.none() | st.integers(0, 2**45),
        table=st.text(min_size=1),
        connector=st.sampled_from(["postgresql", "mysql", ""]),
        schema=st.text(min_size=1),
    )
)
def test_it_is_read_as_it_was_written(source: Origin) -> None:
    mark = Truncation(TOPIC, "id", source)
    assert truncation_of(mark.value) == mark
    assert key_of(mark.key) == (mark.key, None)
    assert key_of(mark.swept_key(3)) == (mark.key, 3)
    assert mark.is_about(place_of(TOPIC, source))


def test_what_others_wrote_is_left_alone() -> None:
    assert truncation_of({"topic": "t"}) is None
    for key in ("truncate/", "truncate/a", "truncate/a/b/c", "truncate/a/b/swept/x"):
        assert key_of(key) is None


def test_a_newer_truncate_of_the_table_supersedes_an_older_one() -> None:
    newer = Truncation(TOPIC, "id", origin(200))
    assert newer.supersedes(MARK)
    assert not MARK.supersedes(newer)
    assert not MARK.supersedes(MARK)
    assert not Truncation(TOPIC, "id", origin(200, table="customers")).supersedes(MARK)


def test_a_database_that_a_place_cannot_say_is_the_same() -> None:
    assert MARK.is_about(Place(TOPIC, None, "public", "products"))
    assert not MARK.is_about(Place(TOPIC, "other", "public", "products"))
