from __future__ import annotations

from tests.unit.flow.changes import change, key
from worker.flow.fold import fold
from worker.model import Op


def test_the_newest_change_wins_as_a_whole() -> None:
    folded = fold([change(1, name="old", price=1), change(2, name="new", price=None)])
    assert folded.after == {"name": "new", "price": None}
    assert folded.position.offset == 2


def test_a_column_that_debezium_could_not_send_comes_from_the_change_before() -> None:
    folded = fold([change(1, body="long text", price=1), change(2, unavailable=("body",), price=2)])
    assert folded.after == {"body": "long text", "price": 2}
    assert folded.unavailable == frozenset()


def test_it_is_taken_through_a_row_of_updates_that_all_lack_it() -> None:
    folded = fold(
        [
            change(1, op=Op.CREATE, body="long text"),
            change(2, unavailable=("body",), price=2),
            change(3, unavailable=("body",), price=3),
        ]
    )
    assert folded.after == {"body": "long text", "price": 3}


def test_nothing_is_taken_across_a_delete() -> None:
    for gone in (Op.DELETE, Op.TOMBSTONE):
        folded = fold(
            [
                change(1, body="of the row before"),
                change(2, op=gone),
                change(3, unavailable=("body",)),
            ]
        )
        assert folded.unavailable == {"body"}


def test_nothing_is_taken_across_a_row_that_was_made_anew() -> None:
    folded = fold(
        [
            change(1, body="of the row before"),
            change(2, op=Op.CREATE, unavailable=("body",)),
            change(3, unavailable=("body",)),
        ]
    )
    assert folded.unavailable == {"body"}


def test_an_update_inherits_the_link_to_the_old_key() -> None:
    folded = fold([change(1, op=Op.CREATE, moved_from=key(7)), change(2, price=2)])
    assert folded.moved_from == key(7)


def test_a_row_that_is_read_again_keeps_the_link_to_the_old_key() -> None:
    moved = change(1, op=Op.CREATE, moved_from=key(7))
    read = change(2, op=Op.READ, price=1)
    assert fold([moved, read]).moved_from == key(7)
    assert fold([moved, read, change(3, price=2)]).moved_from == key(7)
    assert fold([moved, change(2, op=Op.DELETE), read]).moved_from is None


def test_a_snapshot_row_needs_nothing_from_before() -> None:
    read = change(2, op=Op.READ, body="whole")
    assert fold([change(1, body="x"), read]) is read


def test_a_tombstone_inherits_the_time_of_its_delete() -> None:
    folded = fold([change(1, op=Op.DELETE, committed_ms=700), change(2, op=Op.TOMBSTONE)])
    assert folded.op is Op.TOMBSTONE
    assert folded.position.offset == 2
    assert folded.latest_ms == 700


def test_a_tombstone_after_anything_else_keeps_to_its_own_time() -> None:
    for before in (Op.UPDATE, Op.TOMBSTONE):
        alone = change(2, op=Op.TOMBSTONE)
        assert fold([change(1, op=before, committed_ms=700), alone]) is alone
