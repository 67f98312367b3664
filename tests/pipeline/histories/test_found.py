"""Histories that once ended wrong, made short: each is tried with what it needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.histories.history import (
    Answer,
    Crash,
    Delete,
    Freeze,
    History,
    Join,
    Move,
    Pass,
    SendAgain,
    SetBack,
    Setting,
    Snapshot,
    Truncate,
    WorkOn,
    Write,
)
from tests.pipeline.histories.turns import End
from tests.pipeline.histories.world import what_is_wrong

if TYPE_CHECKING:
    from tests.pipeline.histories.history import Event

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

REFUSED_AND_TAKEN_FOR_WRITTEN = History(
    Setting(in_flight=2),
    (
        Write(2, {"title": ""}),
        Write(0, {}),
        SendAgain(2),
        Write(2, {"body": "L2"}),
        SendAgain(3),
        WorkOn(0, calls=0, hangs=False),
        Write(2, {"body": ""}),
        WorkOn(0, calls=5, hangs=False),
        WorkOn(0, calls=0, hangs=False),
        SetBack(),
        Write(2, {"body": "L2"}),
    ),
)
"""Read again, an old change meets a deletion that the store remembers; the same text comes then."""

FORGOTTEN_BEFORE_IT_SHOWS = History(
    Setting(guarded=False, settle_s=3.0),
    (
        Write(0, {}),
        WorkOn(0, calls=0, hangs=False),
        Write(2, {}),
        Snapshot(),
        Crash(0, happened=False),
        Write(3, {}),
        Write(0, {"price": 1, "body": "L2", "title": "b"}),
        Write(1, {}),
        Snapshot(),
        Write(0, {}),
        Write(0, {}),
        Delete(0),
        Write(0, {"body": "poison"}),
        Snapshot(),
        Write(0, {}),
        Join(),
        Write(0, {}),
        Write(0, {"body": ""}),
        Join(),
        Write(0, {"price": 1, "body": "L2", "title": "b"}),
    ),
)
"""A second look forgets what was written just before, and believes a store that is late."""

OLDER_BY_THE_TIME_OF_A_TOMBSTONE = History(
    Setting(guarded=False),
    (
        Write(3, {}),
        WorkOn(0, calls=0, hangs=False),
        WorkOn(0, calls=3, hangs=False),
        Write(0, {}),
        Delete(3),
        WorkOn(0, calls=3, hangs=False),
        Write(3, {}),
        Freeze(0),
    ),
)
"""Read again while its delete is under way, a new row was put before its own tombstone."""


DEAD_BECAUSE_OF_A_LATER_ONE = History(
    Setting(guarded=False, rows=1, in_flight=1),
    (
        Write(3, {"body": "L2"}),
        Move(3, 1, {}),
        Write(1, {"title": "b"}),
    ),
)
"""A row under a new key and its update wait together; that one is a dead letter, as its text is not
known, and the row before it, whose text is, takes its place."""

READ_AHEAD_OF_ITS_KEY_CHANGE = History(
    Setting(guarded=False, rows=1, in_flight=1),
    (
        Write(1, {"body": "L"}),
        Snapshot(),
        Move(1, 0, {}),
    ),
)
"""A snapshot tells a position in the source's log that is ahead of the key change after it."""

MOVED_WHILE_DEAD = History(
    Setting(rows=1, in_flight=1),
    (
        Write(0, {"body": "L"}),
        Move(0, 1, {"title": "b"}),
        Move(1, 0, {}),
    ),
)
"""The text of a dead letter is not known under the row's next key either."""

READ_AGAIN_WHILE_IT_FLIES = History(
    Setting(),
    (
        WorkOn(0, calls=0, hangs=False),
        Write(3, {"body": "L"}),
        Write(3, {}),
        WorkOn(0, calls=0, hangs=False),
        Freeze(0),
    ),
)
"""An update took nothing from the create before it, as both had been read before, too."""

DELETED_BY_A_TRUNCATE_OF_THE_LAST_OWNER = History(
    Setting(guarded=False, partitions=2, empties=True),
    (
        Write(3, {}),
        WorkOn(0, calls=9, hangs=False),
        WorkOn(0, calls=9, hangs=False),
        WorkOn(0, calls=9, hangs=False),
        Truncate(0),
        WorkOn(0, calls=9, hangs=False),
        WorkOn(0, calls=9, hangs=False),
        Pass(30.0),
        WorkOn(0, calls=1, hangs=False),
        Write(3, {"title": "b"}),
        Join(),
        WorkOn(0, calls=0, hangs=True),
        WorkOn(1, calls=0, hangs=False),
        WorkOn(1, calls=9, hangs=False),
        WorkOn(1, calls=9, hangs=False),
        WorkOn(1, calls=9, hangs=False),
        Answer(0, End.DONE),
    ),
)
"""A delete that was on its way when the partition was given up takes the row that the next owner
has written anew, who was told that nothing comes late."""

TRUNCATED_CHUNKS_PAID_FOR = History(
    Setting(empties=True, has_chunks=True),
    (
        Write(0, {"body": "L2"}),
        WorkOn(0, calls=9, hangs=False),
        WorkOn(0, calls=9, hangs=False),
        Truncate(0),
        Write(0, {"body": "L2"}),
    ),
)
"""A row that is inserted again just as it was has the vectors of all its chunks in the index."""

CHUNKS_THAT_DO_NOT_SHOW_YET_PAID_FOR = History(
    Setting(guarded=False, settle_s=3.0, in_flight=2, has_chunks=True),
    (
        Write(1, {}),
        WorkOn(0, calls=0, hangs=False),
        Write(0, {"body": "L2"}),
        WorkOn(0, calls=2, hangs=False),
        Join(),
        Pass(30.0),
        Move(1, 2, {}),
        WorkOn(0, calls=3, hangs=False),
        Answer(0, End.DONE),
        Answer(0, End.DONE),
        WorkOn(0, calls=3, hangs=False),
        Answer(0, End.DONE),
        Freeze(1),
    ),
)
"""A worker that stood still too long to write the first chunk had just written the others."""

BEGUN_WITH_A_TEXT_OF_A_CHANGE_BEFORE = History(
    Setting(guarded=False, has_chunks=True),
    (
        Write(0, {"body": "L2"}),
        Write(0, {}),
        Write(0, {}),
        Freeze(0, in_write=True),
        Freeze(0, in_write=True),
    ),
)
"""A new row that was begun to be written made the change old that tells its text."""

BEGUN_AGAIN_AFTER_IT_WAS_FINISHED = History(
    Setting(guarded=True, has_chunks=True),
    (
        Write(0, {}),
        Write(1, {"body": "L2"}),
        WorkOn(0, calls=0, hangs=False),
        WorkOn(0, calls=9, hangs=False),
        WorkOn(0, calls=2, hangs=False),
        Freeze(0),
        Join(),
        *[WorkOn(1, calls=9, hangs=False)] * 6,
        Answer(0, End.DONE),
    ),
)
"""What says that a row is not finished came late, and the store took it, as it was not older."""

LATE_ROW_OF_FEWER_CHUNKS = History(
    Setting(guarded=False, has_chunks=True),
    (
        Join(),
        Freeze(0),
        Write(3, {}),
        Freeze(1, in_write=True),
        Join(),
        Write(3, {"body": "s"}),
        Crash(2, happened=False),
        WorkOn(0, calls=5, hangs=False),
        Write(3, {"body": ""}),
    ),
)
"""It came over a row of more chunks that this worker had written, and nobody thought of those."""


def _frozen_among_its_chunks(*meanwhile: Event) -> History:
    """A worker stands still after it has sent all chunks but the first, which arrive late."""
    return History(
        Setting(guarded=False, has_chunks=True),
        (
            Write(0, {"body": "L2"}),
            WorkOn(0, calls=0, hangs=False),
            WorkOn(0, calls=3, hangs=False),
            Freeze(0),
            Join(),
            *meanwhile,
            *[WorkOn(1, calls=9, hangs=False)] * 4,
            Answer(0, End.DONE),
        ),
    )


LATE_CHUNK_OVER_A_NEWER_ONE = _frozen_among_its_chunks(Write(0, {"body": "s"}))
"""The second look went by the first chunk alone, which is as it should be."""
LATE_CHUNK_OF_A_ROW_THAT_IS_GONE = _frozen_among_its_chunks(Delete(0))
"""Nothing stands for the row any more, and its chunks come back."""


WRITTEN_WHILE_ANOTHER_TRUNCATE_CAME = History(
    Setting(guarded=True, partitions=1, rows=1, in_flight=1, empties=True),
    (
        Truncate(0),
        Join(),
        Freeze(1),
        Write(0, {}),
        WorkOn(0, calls=1, hangs=False),
        Truncate(0),
        WorkOn(0, calls=3, hangs=False),
        Freeze(1),
    ),
)
"""The write landed during the sweep of the second truncate, of which it had not known: the fence
took it for newer."""

BACK_AS_IT_WAS_BEFORE_THE_TRUNCATE_IS_READ = History(
    Setting(guarded=False, partitions=2, rows=1, in_flight=1, empties=True),
    (
        Write(0, {}),
        SendAgain(1),
        Write(0, {"price": 2, "body": "L2"}),
        Write(1, {}),
        Snapshot(),
        Snapshot(),
        Snapshot(),
        Write(0, {}),
        Write(0, {}),
        Truncate(1),
        Write(0, {"price": 2, "body": "L2"}),
    ),
)
"""A row that was truncated and inserted again looked unchanged, so its point kept the Position by
which the truncate, read later from another partition, took it out."""


OLD_CHUNKS_OF_A_ROW_THAT_IS_GONE = History(
    Setting(guarded=True, partitions=1, rows=1, in_flight=1, has_chunks=True),
    (
        Write(1, {}),
        Write(0, {}),
        Write(1, {"body": "L2"}),
        SetBack(),
        Write(0, {}),
        Delete(1),
        Write(0, {}),
        Join(),
        Write(0, {}),
        WorkOn(0, calls=0, hangs=False),
        WorkOn(0, calls=2, hangs=False),
        Freeze(0),
    ),
)
"""Read again, an old version of a deleted row: the store refused its first chunk and took the
others, of which nobody knew when the deletion came again."""


BACK_RIGHT_AFTER_IT_LEFT = History(
    Setting(guarded=True, partitions=1, rows=1, in_flight=1, has_condition=True, has_chunks=True),
    (
        Write(0, {}),
        Write(0, {"body": "L2", "visible": False}),
        Freeze(0, in_write=True),
        Write(0, {"visible": True}),
    ),
)
"""The sign of the row had the Position of the deletion just before it, so the store refused it."""

OVERTAKEN_BEFORE_IT_IS_WRITTEN = History(
    Setting(in_flight=2),
    (
        Write(1, {"body": "L2"}),
        Snapshot(),
        Move(1, 3, {}),
        Write(0, {}),
        SendAgain(6),
        Write(3, {"body": "L"}),
    ),
)
"""What left the old key seems to be of another row, as the snapshot tells a later position; so what
the row was is skipped for what it is, and must not be committed before that is written."""

OVERTAKEN_AND_SENT_AGAIN = History(
    Setting(),
    (
        Write(1, {"body": "L2"}),
        Snapshot(),
        Move(1, 3, {}),
        SendAgain(1),
        SendAgain(1),
        Write(3, {"body": "L2"}),
    ),
)
"""The same, where what comes next for the row is the key change once more."""

LACKING_AND_DELETED_NEXT = History(
    Setting(in_flight=2),
    (
        *[Write(key, {}) for key in (3, 2, 0, 0, 0)],
        Write(1, {"body": "L2"}),
        *[Write(0, {}) for _ in range(3)],
        Write(1, {"title": "b"}),
        Write(2, {}),
        Write(0, {}),
        Delete(1),
    ),
)
"""What nobody can complete is no dead letter, as the row is deleted next; but its offset must not
be committed before that is done."""


def test_a_new_row_is_not_put_before_an_old_tombstone() -> None:
    assert not what_is_wrong(OLDER_BY_THE_TIME_OF_A_TOMBSTONE)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(OLD_WRITE_UNSEEN, id="an old write that is not seen"),
        pytest.param(FORGOTTEN_BEFORE_IT_SHOWS, id="forgotten"),
        pytest.param(DEAD_LETTER_PAID_FOR, id="a dead letter is paid for"),
        pytest.param(DEAD_BECAUSE_OF_A_LATER_ONE, id="dead by a later one"),
        pytest.param(MOVED_WHILE_DEAD, id="moved while dead"),
        pytest.param(READ_AHEAD_OF_ITS_KEY_CHANGE, id="read ahead"),
        pytest.param(READ_AGAIN_WHILE_IT_FLIES, id="read again while it flies"),
        pytest.param(REFUSED_AND_TAKEN_FOR_WRITTEN, id="refused"),
        pytest.param(MOVED_ONTO_A_DELETED_ROW, id="onto a deleted row"),
        pytest.param(DELETED_BY_A_TRUNCATE_OF_THE_LAST_OWNER, id="deleted by the last owner"),
        pytest.param(TRUNCATED_CHUNKS_PAID_FOR, id="truncated chunks"),
        pytest.param(CHUNKS_THAT_DO_NOT_SHOW_YET_PAID_FOR, id="chunks that do not show yet"),
        pytest.param(BEGUN_WITH_A_TEXT_OF_A_CHANGE_BEFORE, id="begun with a text of before"),
        pytest.param(BEGUN_AGAIN_AFTER_IT_WAS_FINISHED, id="begun again"),
        pytest.param(LATE_ROW_OF_FEWER_CHUNKS, id="late row of fewer chunks"),
        pytest.param(LATE_CHUNK_OVER_A_NEWER_ONE, id="late chunk"),
        pytest.param(LATE_CHUNK_OF_A_ROW_THAT_IS_GONE, id="late chunk of a row that is gone"),
        pytest.param(OLD_CHUNKS_OF_A_ROW_THAT_IS_GONE, id="old chunks of a row that is gone"),
        pytest.param(BACK_RIGHT_AFTER_IT_LEFT, id="back right after it left"),
        pytest.param(WRITTEN_WHILE_ANOTHER_TRUNCATE_CAME, id="written while a truncate came"),
        pytest.param(BACK_AS_IT_WAS_BEFORE_THE_TRUNCATE_IS_READ, id="back before the truncate"),
    ],
)
def test_what_was_found_stays_right(history: History) -> None:
    assert not what_is_wrong(history)


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("settle_s", [0.0, 3.0], ids=["at once", "late"])
@pytest.mark.parametrize(
    "history",
    [
        pytest.param(OVERTAKEN_BEFORE_IT_IS_WRITTEN, id="overtaken before it is written"),
        pytest.param(OVERTAKEN_AND_SENT_AGAIN, id="overtaken and sent again"),
        pytest.param(LACKING_AND_DELETED_NEXT, id="lacking and deleted next"),
    ],
)
def test_what_was_found_stays_right_in_any_store(
    history: History, settle_s: float, *, guarded: bool
) -> None:
    setting = replace(history.setting, guarded=guarded, settle_s=settle_s)
    assert not what_is_wrong(replace(history, setting=setting))
