"""Watermarks and marks of rows on any state topic; its own test file brings the group's pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.contract.state_contract import eventually, insist
from worker.document.place import Place
from worker.marks.dead_rows import DeadRows
from worker.marks.truncation import Truncation
from worker.marks.watermarks import TableWatermarks
from worker.model import Change, Key, Op, Origin, Point, Position, Record, Stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.state_contract import Group

TOPIC = "shop.public.products"
PLACE = Place(TOPIC, "shop", "public", "products")


def truncation(position: int) -> Truncation:
    origin = Origin("postgresql", "shop", "public", "products", 1_000 + position, position)
    return Truncation(TOPIC, "id", origin)


def change(position: int) -> Change:
    origin = Origin("postgresql", "shop", "public", "products", 1_000 + position, position)
    return Change(Record(TOPIC, 0, 1, b"k", b"v"), key(1), Op.CREATE, {}, origin)


def key(number: int) -> Key:
    return Key(TOPIC, (("id", number),))


def at(offset: int, topic_id: str = "id") -> Position:
    return Position(topic_id, 0, offset)


def done(call: Callable[[], None]) -> None:
    """As everybody should: again while the brokers are away."""

    def once() -> int:
        call()
        return 0

    insist(once)


def wait_for(marks: DeadRows) -> None:
    """Until it has read what was written so far."""
    insist(lambda: marks.is_marked(key(1), at(1)))


class MarksContract:
    """Fixture ``group``."""

    def test_a_truncate_covers_what_is_older_on_all_pods_and_after_a_restart(
        self, group: Group
    ) -> None:
        ours, theirs = TableWatermarks(group.pod()), TableWatermarks(group.pod())
        assert not ours.covers(change(9))
        done(lambda: ours.write(truncation(10)))
        later_pod = group.pod()
        later = TableWatermarks(later_pod)
        eventually(lambda: theirs.covers(change(9)) and later.covers(change(9)))
        for one in (ours, theirs, later):
            assert not one.covers(change(10))
            stamp = Stamp("f", at(1), "m", 9)
            old = Point("1", np.zeros(1, np.float32), {"source_table": "products"}, stamp)
            assert one.covers_point(old, PLACE)
            assert not one.covers_point(old, PLACE._replace(table="customers"))
            assert one.covers_moment(PLACE, 9, None)
            assert not one.covers_moment(PLACE, 10, None)

    def test_the_newest_truncate_counts_in_whatever_order_they_are_written(
        self, group: Group
    ) -> None:
        first, second = TableWatermarks(group.pod()), TableWatermarks(group.pod())
        done(lambda: first.write(truncation(20)))
        done(lambda: second.write(truncation(10)))
        third = TableWatermarks(group.pod())
        eventually(lambda: all(one.covers(change(19)) for one in (first, second, third)))
        done(lambda: first.write(truncation(30)))
        eventually(lambda: all(one.covers(change(29)) for one in (first, second, third)))
        assert [one.origin.position for one in first.of_topic(TOPIC)] == [30]

    def test_what_is_swept_is_due_no_more_until_the_truncate_is_read_again(
        self, group: Group
    ) -> None:
        ours, theirs = TableWatermarks(group.pod()), TableWatermarks(group.pod())
        done(lambda: ours.write(truncation(10)))
        (due,) = ours.due(TOPIC, [0, 1])
        assert due.partitions == {0, 1}
        done(lambda: ours.swept(due, [1]))
        eventually(lambda: [one.partitions for one in theirs.due(TOPIC, [0, 1])] == [{0}])
        assert ours.due(TOPIC, [1]) == []
        assert ours.due("shop.public.customers", [0]) == []
        done(lambda: ours.write(truncation(10)))
        eventually(lambda: [one.partitions for one in theirs.due(TOPIC, [0, 1])] == [{0, 1}])

    def test_a_mark_is_known_here_at_once_and_elsewhere_once_it_is_kept(self, group: Group) -> None:
        ours, theirs = DeadRows(group.pod()), DeadRows(group.pod())
        insist(lambda: theirs.is_marked(key(1), at(1000)))
        ours.mark(key(1), at(5))
        insist(lambda: ours.is_marked(key(1), at(1000)))
        assert ours.is_marked(key(1), at(1000))
        assert not ours.is_marked(key(2), at(1000))
        done(ours.keep)
        theirs.look_again()
        assert theirs.is_marked(key(1), at(1000))
        assert not theirs.is_marked(key(2), at(1000))

    def test_a_written_row_is_marked_no_more(self, group: Group) -> None:
        ours, theirs = DeadRows(group.pod()), DeadRows(group.pod())
        ours.mark(key(1), at(5))
        ours.mark(key(2), at(6))
        done(ours.keep)
        ours.clear(key(1), at(7))
        ours.clear(key(2), at(3))
        assert (ours.is_marked(key(1), at(1000)), ours.is_marked(key(2), at(1000))) == (False, True)
        done(ours.keep)
        assert (ours.is_marked(key(1), at(1000)), ours.is_marked(key(2), at(1000))) == (False, True)
        theirs.look_again()
        assert (theirs.is_marked(key(1), at(1000)), theirs.is_marked(key(2), at(1000))) == (
            False,
            True,
        )

    def test_a_row_may_be_marked_again_and_the_log_does_not_undo_it(self, group: Group) -> None:
        ours = DeadRows(group.pod())
        for round_number in range(20):
            ours.mark(key(1), at(2 * round_number))
            assert insist(lambda: int(ours.is_marked(key(1), at(1000))))
            ours.clear(key(1), at(2 * round_number + 1))
            assert not ours.is_marked(key(1), at(1000))
        ours.mark(key(1), at(100))
        done(ours.keep)
        ours.look_again()
        assert ours.is_marked(key(1), at(1000))

    def test_a_change_before_the_first_dead_one_or_that_one_itself_is_not_affected(
        self, group: Group
    ) -> None:
        ours, theirs = DeadRows(group.pod()), DeadRows(group.pod())
        ours.mark(key(1), at(7))
        ours.mark(key(1), at(5))
        ours.mark(key(1), at(9))
        done(ours.keep)
        theirs.look_again()
        for one in (ours, theirs):
            wait_for(one)
            marked = [one.is_marked(key(1), at(offset)) for offset in range(4, 11)]
            assert marked == [False, False, True, True, True, True, True]
            assert one.is_marked(key(1), at(1, "made again"))

    def test_dead_changes_that_do_not_compare_affect_all(self, group: Group) -> None:
        ours, theirs = DeadRows(group.pod()), DeadRows(group.pod())
        ours.mark(key(1), at(5))
        ours.mark(key(1), at(3, "made again"))
        done(ours.keep)
        theirs.look_again()
        for one in (ours, theirs):
            wait_for(one)
            assert one.is_marked(key(1), at(1))
            assert one.is_marked(key(1), at(1, "made again"))
        ours.clear(key(1), at(2, "made again"))
        assert ours.is_marked(key(1), at(1))
        ours.clear(key(1), at(4, "made again"))
        assert not ours.is_marked(key(1), at(9))
