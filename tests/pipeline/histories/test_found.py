"""Histories that once ended wrong, made short: each is tried with what it needs."""

from __future__ import annotations

import pytest

from tests.pipeline.histories.features import ENABLED, Feature
from tests.pipeline.histories.history import (
    Delete,
    Freeze,
    History,
    Move,
    Pass,
    SetBack,
    Setting,
    Snapshot,
    WorkOn,
    Write,
)
from tests.pipeline.histories.world import what_is_wrong

OLD_WRITE_UNSEEN = History(
    Setting(guarded=False, settle_s=3.0, rows=2),
    (
        Write(0, {}),
        Snapshot(),
        Write(1, {}),
        Write(0, {}),
        Delete(0),
        Snapshot(),
        Write(0, {}),
        WorkOn(0, calls=3, hangs=False),
        Write(0, {"body": "L2"}),
        WorkOn(0, calls=3, hangs=False),
        WorkOn(0, calls=0, hangs=False),
        Pass(0.5),
        WorkOn(0, calls=0, hangs=False),
        WorkOn(0, calls=0, hangs=False),
        SetBack(),
    ),
)
"""Read again, an old change is written over a newer one that does not show yet; once that shows,
it looks as if it were still there."""

DEAD_LETTER_PAID_FOR = History(
    Setting(),
    (
        Write(0, {}),
        Write(0, {}),
        Write(0, {}),
        Write(0, {}),
        Write(1, {"body": "L"}),
        Write(0, {}),
        Write(0, {}),
        Write(0, {}),
        Write(1, {"body": "L"}),
        Write(1, {"body": "poison"}),
    ),
)
"""The text before the refused one is what the index holds."""

MOVED_ONTO_A_DELETED_ROW = History(
    Setting(guarded=False, rows=2),
    (
        Write(1, {}),
        Write(3, {"body": "s", "title": ""}),
        Write(0, {}),
        WorkOn(0, calls=0, hangs=False),
        Freeze(0),
        Write(1, {"body": "L2"}),
        Write(1, {"title": ""}),
        Delete(3),
        Move(1, 3, {}),
    ),
)
"""What stands under the new key is the row that was deleted there."""


@pytest.mark.parametrize(
    ("needed", "history"),
    [
        pytest.param(Feature.CACHE, OLD_WRITE_UNSEEN, id="an old write that is not seen"),
        pytest.param(Feature.MARKED, DEAD_LETTER_PAID_FOR, id="a dead letter is paid for"),
        pytest.param(Feature.KEY_CHANGE, MOVED_ONTO_A_DELETED_ROW, id="onto a deleted row"),
    ],
)
def test_what_was_found_stays_right(needed: Feature, history: History) -> None:
    if needed not in ENABLED:
        pytest.skip(f"{needed.name} is not enabled")
    assert not what_is_wrong(history)
