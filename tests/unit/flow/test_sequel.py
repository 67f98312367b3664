"""What came after a dead change, and what that leaves of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.flow.changes import change
from worker.flow.sequel import NOTHING_CAME, Sequel
from worker.model import Op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import Change

BODY = ("body",)


def after(*changes: Change | None) -> Sequel:
    """None is a record that nobody could read."""
    sequel = NOTHING_CAME
    for one in changes:
        sequel = sequel.then_unread() if one is None else sequel.then(one)
    return sequel


def test_nothing_leaves_it_as_it_is() -> None:
    dead = change(3, body="b")
    assert NOTHING_CAME.applied_to(dead) is dead


def test_a_whole_change_a_new_row_and_a_removal_overtake_it() -> None:
    dead = change(3, body="b")
    for later in (change(5), change(5, op=Op.READ), change(5, op=Op.DELETE)):
        sequel = after(later)
        assert sequel.applied_to(dead) is None
        assert sequel.newest_at == later.position


def test_a_new_row_that_lacks_columns_overtakes_it_as_well() -> None:
    assert after(change(5, op=Op.CREATE, unavailable=BODY)).applied_to(change(3)) is None


def test_a_partial_change_is_folded_over_it() -> None:
    applied = after(change(5, price=2, unavailable=BODY)).applied_to(change(3, body="b", price=1))
    assert applied is not None
    assert applied.after == {"body": "b", "price": 2}
    assert applied.position.offset == 5
    assert not applied.unavailable


def test_nothing_is_folded_behind_what_nobody_could_read() -> None:
    dead = change(3, body="b", price=1)
    sequel = after(change(5, price=2, unavailable=BODY), None, change(7, price=3, unavailable=BODY))
    applied = sequel.applied_to(dead)
    assert applied is not None
    assert (applied.position.offset, applied.after["price"]) == (5, 2)
    assert sequel.is_cut
    assert sequel.then(change(9)).applied_to(dead) is None


def test_whatever_comes_after_a_removal_overtakes_it() -> None:
    partial = change(5, price=2, unavailable=BODY)
    sequel = after(partial)
    assert sequel.applied_to(change(3, op=Op.DELETE)) is None
    assert sequel.newest_at == partial.position


# Against a table ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Past:
    """A row's changes, and what it was after each; None: it was gone."""

    changes: Sequence[Change]
    rows: Sequence[dict[str, Any] | None]


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    """As PostgreSQL tells them: an update leaves out the body that it did not touch."""
    changes, rows = [], list[dict[str, Any] | None]()
    row: dict[str, Any] | None = None
    for offset in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["price", "body", "read", "delete"])) if row else "insert"
        number = draw(st.integers(0, 9))
        if row is None or kind == "insert":
            row = {"body": f"b{number}", "price": number}
            changes.append(change(offset, op=Op.CREATE, **row))
        elif kind == "price":
            row = {**row, "price": number}
            changes.append(change(offset, price=number, unavailable=BODY))
        elif kind == "body":
            row = {**row, "body": f"b{number}"}
            changes.append(change(offset, **row))
        elif kind == "read":
            changes.append(change(offset, op=Op.READ, **row))
        else:
            row = None
            changes.append(change(offset, op=Op.DELETE))
        rows.append(row)
    return Past(changes, rows)


@given(pasts(), st.data())
def test_what_is_left_of_a_whole_change_is_the_row_as_it_is_now(
    past: Past, data: st.DataObject
) -> None:
    dead_at = data.draw(st.integers(0, len(past.changes) - 1))
    dead = past.changes[dead_at]
    applied = after(*past.changes[dead_at + 1 :]).applied_to(dead)
    if applied is None:
        assert any(
            not (one.op is Op.UPDATE and one.unavailable) or dead.op.removes
            for one in past.changes[dead_at + 1 :]
        )
        return
    assert applied.position == past.changes[-1].position
    if not applied.unavailable:
        assert (None if applied.op.removes else applied.after) == past.rows[-1]


@given(pasts(), st.data())
def test_it_does_not_matter_where_reading_ends_and_watching_begins(
    past: Past, data: st.DataObject
) -> None:
    unread = data.draw(st.sets(st.integers(1, 8), max_size=2))
    later = [None if one.position.offset in unread else one for one in past.changes[1:]]
    middle = data.draw(st.integers(0, len(later)))
    whole = after(*later)
    both = after(*later[:middle]).followed_by(after(*later[middle:]))
    dead = past.changes[0]
    assert both.applied_to(dead) == whole.applied_to(dead)
    assert (both.overtaken_at, both.is_cut) == (whole.overtaken_at, whole.is_cut)
