"""What a task says and does while the day's budget does not cover what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.embedding import embedding_of
from tests.unit.pipeline.engine import TOPIC, entry, ledger
from worker.clock import FakeClock
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.flow.backlog import Backlog
from worker.flow.ledger import Ledger
from worker.pipeline.allowance import Allowance
from worker.source.memory import MemorySource
from worker.source.memory_broker import MemoryBroker
from worker.source.subscription import Subscription
from worker.spend.amount import Budget, Limit
from worker.spend.limited import LimitedPurse
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Iterator


class Scene:
    """A task whose budget of ten tokens is spent but for one, at half past five."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.moment = datetime(2026, 11, 26, 17, 30, tzinfo=UTC)
        self.backlog = Backlog()
        self.ledger = ledger()
        budget = Budget(Limit(tokens=10))
        topic = MemoryStateTopic(MemoryLog())
        self.purse = LimitedPurse(
            topic, budget, connector="products", clock=self.clock, now=self.now
        )
        reserved = self.purse.reserve(9)
        assert reserved is not None
        reserved.settle(9)
        embedder = FakeEmbedder(FakeConfig())
        self.embedding = embedding_of(embedder, self.clock, purse=self.purse)
        self.allowance = Allowance(
            task=0,
            embedding=self.embedding,
            source=MemorySource(MemoryBroker(), "connect-products", Subscription((TOPIC,))),
            ledger=Ledger(),
            backlog=self.backlog,
            clock=self.clock,
            now=self.now,
        )

    def now(self) -> datetime:
        return self.moment

    def park(self, *rows: int, needs: int = 5) -> None:
        for row in rows:
            self.backlog.add(entry(self.ledger, row, row=row))
        for work in self.backlog.take(100, 1 << 20):
            self.backlog.park(work, needs)

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self.clock.advance(1.0)
            self.allowance.tick()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.embedding.close()


def pauses(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.message for one in caplog.records if one.message.startswith("Paused")]


def test_a_pause_is_said_once_with_the_rows_that_wait_and_when_it_ends(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.park(1, 2)
    scene.tick()
    scene.park(3)
    scene.tick(60)
    (said,) = pauses(caplog)
    assert said == (
        "Paused by the budget: 9 of 10 tokens spent today, too little for 2 rows that wait and "
        "those not read yet. Going on at 00:00 UTC (in 6 h 30 min), or when the budget is raised; "
        "deletes and changes of metadata go on."
    )


def test_a_text_larger_than_a_whole_budget_is_not_promised_another_day(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.park(1, needs=12)
    scene.tick()
    (said,) = pauses(caplog)
    assert "Going on when the budget is 12 tokens, as the smallest of them may cost so much" in said


def test_the_next_day_goes_on_and_another_pause_is_said_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.park(1)
    scene.tick(3)
    scene.moment += timedelta(hours=7)
    scene.tick()
    assert scene.backlog.ready_rows == 1
    scene.tick()
    scene.park(2, needs=11)
    scene.tick(3)
    assert len(pauses(caplog)) == 2
