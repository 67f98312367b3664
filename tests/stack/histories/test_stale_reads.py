"""What counts as a row that a snapshot told as it had been."""

from __future__ import annotations

from typing import Any

from tests.stack.histories.stale_reads import texts_that_came_back


def told(op: str, name: str | None, snapshot: str = "false") -> dict[str, Any]:
    after = None if name is None else {"name": name, "body": None, "live": True}
    return {"op": op, "after": after, "source": {"snapshot": snapshot}}


def test_a_text_that_comes_back_after_another_row_came_to_its_key() -> None:
    values = [told("c", "old"), told("d", None), told("c", "new"), told("r", "old", "incremental")]
    assert texts_that_came_back(values) == {"Name: old": 1}
    assert texts_that_came_back([*values, told("d", None)]) == {"Name: old": 1}


def test_what_is_as_it_was_told_last_or_is_new_does_not_come_back() -> None:
    again = [told("c", "old"), told("u", "new"), told("r", "new", "incremental")]
    ahead = [told("c", "old"), told("r", "new", "incremental"), told("u", "new")]
    first = [told("c", "old"), told("d", None), told("r", "old", "true")]
    assert [texts_that_came_back(values) for values in (again, ahead, first)] == [{}, {}, {}]
