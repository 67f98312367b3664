"""A gate and those who ask it, in one line each."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from worker.clock import FakeClock
from worker.throttle.gate import Gate, Pass
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Callable

UNLIMITED = Rates()


class Door:
    """A gate on a clock of its own; each ask is by another caller unless one is named."""

    def __init__(self, rates: Rates = UNLIMITED, seed: int = 1) -> None:
        self.clock = FakeClock()
        self._caller: object = None
        self.gate = Gate("test", self.clock, random.Random(seed), lambda: self._caller)
        self.gate.name("connector", rates)

    def ask(self, inputs: int = 1, tokens: int = 1, *, caller: object = None) -> Pass | float:
        self._caller = object() if caller is None else caller
        return self.gate.enter(inputs, tokens)

    def go(self, inputs: int = 1, tokens: int = 1, *, caller: object = None) -> Pass:
        answer = self.ask(inputs, tokens, caller=caller)
        assert isinstance(answer, Pass), f"has to wait {answer} s"
        return answer

    def wait(self, inputs: int = 1, tokens: int = 1, *, caller: object = None) -> float:
        answer = self.ask(inputs, tokens, caller=caller)
        assert isinstance(answer, float), "may go"
        return answer

    def many(self, calls: int) -> list[Pass]:
        return [self.go() for _ in range(calls)]

    def until_it_goes(
        self, inputs: int = 1, tokens: int = 1, *, caller: object = "patient"
    ) -> tuple[Pass, float]:
        """A caller that comes back as told; the pass, and how long it took."""
        began_s = self.clock.now_s()
        for _ in range(10_000):
            answer = self.ask(inputs, tokens, caller=caller)
            if isinstance(answer, Pass):
                return answer, self.clock.now_s() - began_s
            assert answer > 0
            self.clock.advance(answer)
        raise AssertionError("never goes")

    def fail(self, calls: int = 3) -> None:
        for passing in self.many(calls):
            passing.failed()


def in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
