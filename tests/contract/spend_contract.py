"""What a shared budget promises over any state topic."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.contract.state_contract import insist
from tests.unit.spend.pods import spend_greedily
from worker.spend.amount import Budget, Limit
from worker.spend.limited import LimitedPurse

if TYPE_CHECKING:
    from tests.contract.state_contract import Group
    from worker.spend.reservation import Held

BUDGET = Budget(Limit(100_000), 120_000)


def purse_of(group: Group) -> LimitedPurse:
    """Another pod's."""
    return LimitedPurse(group.pod(), BUDGET, connector="shop")


def reserve(purse: LimitedPurse, tokens: int) -> Held:
    made: list[Held | None] = []

    def once() -> int:
        made.append(purse.reserve(tokens))
        return 0

    insist(once)
    assert made[-1] is not None
    return made[-1]


class SpendContract:
    """Fixture ``group``."""

    def test_pods_and_threads_use_nine_tenths_of_a_budget_and_never_more_than_it(
        self, group: Group
    ) -> None:
        purses = [purse_of(group) for _ in range(3)]
        reserve(purses[0], 1).cancel()
        with ThreadPoolExecutor(12) as pool:
            running = [
                pool.submit(spend_greedily, purse, call=8_000, text=1_000, overestimate=4)
                for purse in purses
                for _ in range(4)
            ]
            billed = sum(one.result(120.0) for one in running)
        assert 90_000 <= billed <= 100_000
        late = purse_of(group)
        assert late.reserve(100_000) is None
        assert late.report().spent.tokens == billed
        for purse in purses:
            purse.close()

    def test_the_count_survives_a_pod_that_is_killed_in_a_call(self, group: Group) -> None:
        killed = purse_of(group)
        reserve(killed, 30_000).settle(10_000)
        reserve(killed, 50_000)
        after = purse_of(group)
        reservation = reserve(after, 40_000)
        assert after.left() == 0
        reservation.keep(15_000)
        assert after.reserve(1) is None

    def test_a_settlement_reaches_the_others(self, group: Group) -> None:
        ours, theirs = (purse_of(group) for _ in range(2))
        reserve(ours, 100_000).settle(1)
        deadline_s = time.monotonic() + 60.0
        while theirs.left() != 99_999:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
