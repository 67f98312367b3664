"""When reading stops and goes on again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from worker.clock import FakeClock
from worker.flow.batching import BufferLimits
from worker.flow.ledger import Ledger
from worker.pipeline.pressure import Pressure

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.model import TopicPartition

LIMITS = BufferLimits(max_rows=8, max_bytes=800)


@dataclass
class Part:
    """Holds so much."""

    rows: int = 0
    bytes: int = 0
    stalled: Collection[TopicPartition] = ()
    is_opening: bool = False

    def hold(self, rows: int) -> None:
        self.rows, self.bytes = rows, 100 * rows


class Scene:
    def __init__(self, limits: BufferLimits) -> None:
        self.backlog, self.intake = Part(), Part()
        nothing: Any = Part()
        self.pressure = Pressure(
            source=nothing,
            ledger=Ledger(),
            backlog=cast("Any", self.backlog),
            intake=cast("Any", self.intake),
            rejects=nothing,
            looks=nothing,
            committer=nothing,
            limits=limits,
            clock=FakeClock(),
        )

    def is_full(self, waits: int, stalled: int) -> bool:
        self.backlog.hold(waits)
        self.intake.hold(stalled)
        self.pressure.adjust()
        return self.pressure.is_full


@pytest.fixture(
    params=[
        BufferLimits(max_rows=LIMITS.max_rows),
        BufferLimits(max_bytes=LIMITS.max_bytes),
    ],
    ids=["rows", "bytes"],
)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param)


def test_a_full_buffer_has_room_again_at_three_quarters(scene: Scene) -> None:
    assert not scene.is_full(7, stalled=0)
    assert scene.is_full(8, stalled=0)
    assert scene.is_full(7, stalled=0)
    assert not scene.is_full(6, stalled=0)


def test_what_is_stalled_takes_half_of_it_at_most(scene: Scene) -> None:
    assert not scene.is_full(3, stalled=20)
    assert scene.is_full(4, stalled=20)


def test_what_is_stalled_does_not_keep_full_what_the_others_have_left(scene: Scene) -> None:
    """It may wait for just what is not read as long as the buffer is full."""
    assert scene.is_full(4, stalled=6)
    assert not scene.is_full(3, stalled=6)


def test_a_few_that_are_stalled_leave_the_rest(scene: Scene) -> None:
    assert scene.is_full(6, stalled=2)
    assert scene.is_full(5, stalled=2)
    assert not scene.is_full(4, stalled=2)
