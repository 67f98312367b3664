from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from tests.unit.throttle.callers import Door
from tests.unit.throttle.simulation import Sent, most_in_a_window
from worker.throttle.circuit import State
from worker.throttle.gate import Pass
from worker.throttle.rates import Rates

LIMIT = 100
LONGEST_WAIT_S = 100.0
LONGEST_PROBE_S = 60.0
MINUTE_S = 61.0


class AnyHistory(RuleBasedStateMachine):
    """Calls begin, end in any way and order or never, and time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.door = Door(Rates(inputs=LIMIT))
        self.under_way: list[Pass] = []
        self.sent: list[Sent] = []
        self.asked_until_s = 0.0

    @rule(inputs=st.integers(1, LIMIT), caller=st.integers(0, 5))
    def ask(self, inputs: int, caller: int) -> None:
        now_s = self.door.clock.now_s()
        answer = self.door.ask(inputs, caller=caller)
        if isinstance(answer, Pass):
            assert now_s >= self.asked_until_s - 1e-6
            self.under_way.append(answer)
            self.sent.append(Sent(now_s, caller, inputs, 1))
        else:
            assert 0 < answer <= LONGEST_WAIT_S

    @rule(seconds=st.one_of(st.floats(0, 1), st.floats(0, 100)))
    def pass_time(self, seconds: float) -> None:
        self.door.clock.advance(seconds)

    @precondition(lambda self: self.under_way)
    @rule(
        data=st.data(),
        end=st.sampled_from(["passed", "failed", "refused", "limited"]),
        retry_after_s=st.one_of(st.none(), st.floats(0.1, LONGEST_WAIT_S)),
    )
    def end(self, data: st.DataObject, end: str, retry_after_s: float | None) -> None:
        index = data.draw(st.integers(0, len(self.under_way) - 1))
        call = self.under_way.pop(index)
        match end:
            case "passed":
                call.passed(1)
            case "failed":
                call.failed()
            case "refused":
                call.refused()
            case _:
                call.limited(retry_after_s)
                asked_s = self.door.clock.now_s() + (retry_after_s or 0)
                self.asked_until_s = max(self.asked_until_s, asked_s)

    @rule()
    def only_one_probes(self) -> None:
        if self.door.gate.state is not State.CLOSED:
            answers = [self.door.ask(caller=caller) for caller in range(6)]
            probes = [answer for answer in answers if isinstance(answer, Pass)]
            assert len(probes) <= 1
            for probe in probes:
                probe.dropped()

    @invariant()
    def the_limit_holds(self) -> None:
        assert most_in_a_window(self.sent, lambda call: call.inputs) <= LIMIT

    def teardown(self) -> None:
        """However it went, a caller that comes back as told gets its turn."""
        _, waited_s = self.door.until_it_goes(LIMIT, caller="last")
        assert waited_s <= LONGEST_WAIT_S + LONGEST_PROBE_S + 2 * MINUTE_S


AnyHistory.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestAnyHistory = AnyHistory.TestCase
