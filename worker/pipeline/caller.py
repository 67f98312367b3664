"""One call of an embedder: when the limits let it, when the budget covers it, until it is answered.

Runs in the pool's threads. Nothing that was answered is asked for again; where the answer cannot be
used, or does not come, and may be billed all the same, a short text goes before the rows' texts
until it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from worker.errors import (
    BrokenAnswerError,
    FatalError,
    LimitedError,
    RetriableError,
    UnansweredError,
    UnfitAnswerError,
)
from worker.immutable import immutable
from worker.pipeline.errand import PROBE, NeverAnsweredError, OverBudgetError
from worker.pipeline.exposure import Exposure
from worker.pipeline.sound import expect_some_usable, expect_sound
from worker.telemetry.calls import EMBEDDING_BOUNDS_S, Calls
from worker.throttle.circuit import MOST_UNUSABLE, State

if TYPE_CHECKING:
    from worker.embed.port import Embedder, Embeddings, Overlong
    from worker.errors import WorkerError
    from worker.pipeline.errand import Errand, Order
    from worker.spend.port import Purse, Reservation
    from worker.throttle.gate import Gate, Pass

_LOOK_EVERY_S = 1.0
"""While a call waits for its turn, the partitions may go."""
_PAUSE_S = 1.0
"""After the first unusable answer to a call; as much longer after each other one."""
_MOST_PAID = 3
"""So often the same texts are asked for where the answers cannot be used, though a probe passes."""
_MOST_UNANSWERED = 5
"""So often the same texts are asked for together where no answer comes. A provider that is away is
asked three times for them, and then for a short text."""
_OPERATION = "embeddings"
"""As OpenTelemetry's conventions call it."""


@immutable
class Caller:
    """Makes calls for all tasks of a connector."""

    embedder: Embedder
    gate: Gate
    purse: Purse
    overlong: Overlong
    exposure: Exposure = field(default_factory=Exposure)
    calls: Calls = field(default_factory=lambda: Calls(EMBEDDING_BOUNDS_S))

    def __call__(self, order: Order, errand: Errand) -> Embeddings:
        """The answer, after any number of tries.

        Raises:
            Interrupted, LeaseExpired: nobody waits for the answer any more.
            OverBudgetError: the day's budget does not cover it.
            NeverAnsweredError: its answer never comes, while short ones do.
            RecordError: the provider refuses the call.
            FatalError: it would refuse every call, or is away for too long.
        """
        tries = _Tries(self, order, errand)
        return errand.patience.silently("embedding", tries, errand.check)

    def admit(self, order: Order, errand: Errand) -> Pass:
        """Wait for the account's turn.

        Raises:
            RetriableError: the provider is away or has asked us to wait.
            FatalError: it has given so many answers that cannot be used that it makes no sense.
        """
        while True:
            entered = self.gate.enter(len(order.texts), order.tokens)
            if not isinstance(entered, float):
                return entered
            if self.gate.gives_up:
                raise _vain(self.gate.trouble)
            if self.gate.state is not State.CLOSED:
                raise RetriableError(self.gate.trouble, retry_after_s=entered)
            errand.patience.pause(min(entered, _LOOK_EVERY_S))
            errand.check()

    @property
    def covered(self) -> int:
        """Tokens for which calls may begin now, where there is a budget."""
        return int(min(self.purse.left() or 0, self.exposure.room(0)))

    def covers(self, order: Order) -> bool:
        """Whether the budget does, as far as is known."""
        left = self.purse.left()
        return left is None or left >= order.most_tokens

    def reserve(self, order: Order) -> Reservation:
        """Put what it can cost at most aside."""
        reservation = self.purse.reserve(order.most_tokens, order.parts)
        if reservation is None:
            raise OverBudgetError(self.purse.left() or 0)
        return reservation


@dataclass(slots=True)
class _Tries:
    """The tries of one call; what ``Patience`` repeats."""

    caller: Caller
    order: Order
    errand: Errand
    broken: int = 0
    """Answers that could not be used."""
    paid: int = 0
    """Those of them to the texts themselves."""
    unanswered: int = 0
    """Tries that may have been billed, and brought nothing."""
    alike: int = 0
    """Those of them with the texts themselves."""

    def __call__(self) -> Embeddings:
        exposure, most_tokens = self.caller.exposure, self.order.most_tokens
        if not exposure.begin(most_tokens):
            raise OverBudgetError(self.caller.covered)
        try:
            return self._try()
        finally:
            exposure.end(most_tokens)

    def _try(self) -> Embeddings:
        passing = self.caller.admit(self.order, self.errand)
        if self._is_wary:
            self.errand.aside(PROBE, self._ask(PROBE, passing).tokens)
        answer = self._ask(self.order, passing)
        passing.passed(answer.tokens)
        return answer

    @property
    def _is_wary(self) -> bool:
        """Where the budget does not cover a probe, what it covers is as cheap."""
        gate = self.caller.gate
        is_suspect = self.broken > 0 or gate.is_suspect
        hangs = self.unanswered > 0 and gate.state is State.OPEN
        return (is_suspect or hangs) and self.caller.covers(PROBE)

    def _reserve(self, order: Order, passing: Pass) -> Reservation:
        try:
            reservation = self.caller.reserve(order)
        except BaseException:
            passing.dropped()
            raise
        try:
            self.errand.check()
        except BaseException:
            passing.dropped()
            reservation.cancel()
            raise
        return reservation

    def _ask(self, order: Order, passing: Pass) -> Embeddings:
        """One call; where it fails, its pass has ended."""
        reservation = self._reserve(order, passing)
        try:
            answer = self._answer(order)
        except LimitedError as error:
            passing.limited(error.retry_after_s)
            reservation.cancel()
            raise _again(error) from error
        except BrokenAnswerError as error:
            self._end_unusable(order, passing, reservation, error)
            self._count_broken(order, error)
            raise RetriableError(str(error), retry_after_s=self.broken * _PAUSE_S) from error
        except UnfitAnswerError as error:
            self._end_unusable(order, passing, reservation, error)
            raise
        except RetriableError as error:
            _end_failed(passing, error)
            self._settle_unknown(order, reservation, error)
            self._expect_answers()
            raise _again(error) from error
        except BaseException:
            passing.refused()
            reservation.cancel()
            raise
        reservation.settle(answer.tokens or order.tokens)  # where nobody says, the estimate
        return answer

    def _answer(self, order: Order) -> Embeddings:
        caller, model = self.caller, self.caller.embedder.model
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": _OPERATION,
            "gen_ai.provider.name": model.provider,
            "gen_ai.request.model": model.name,
            "gen_ai.embeddings.dimension.count": model.dimensions,
        }
        with caller.calls.made(_OPERATION, model.name, attributes) as span:
            answer = caller.embedder.embed(order.texts, self.errand.purpose, caller.overlong)
            expect_sound(answer, len(order.texts), model)
            if order is PROBE:
                expect_some_usable(answer, model)
            span.set_attribute("gen_ai.usage.input_tokens", answer.tokens)
        return answer

    def _end_unusable(
        self, order: Order, passing: Pass, reservation: Reservation, error: WorkerError
    ) -> None:
        """Billed all the same."""
        passing.unusable(str(error))
        self._keep(order, reservation)

    def _settle_unknown(
        self, order: Order, reservation: Reservation, error: RetriableError
    ) -> None:
        if isinstance(error, UnansweredError):
            self.unanswered += 1
            self.alike += order is self.order
            self._keep(order, reservation)
        else:
            reservation.cancel()

    def _expect_answers(self) -> None:
        """Large calls may take longer than the time-out, or than something on the way allows."""
        if self.alike == _MOST_UNANSWERED and len(self.order.texts) > 1:
            raise NeverAnsweredError

    def _keep(self, order: Order, reservation: Reservation) -> None:
        """It may have been billed, so it is counted: by its estimate, or by what stays spent."""
        reservation.keep(order.tokens)
        self.errand.aside(replace(order, tokens=min(order.tokens, reservation.tokens)), 0)

    def _count_broken(self, order: Order, error: BrokenAnswerError) -> None:
        self.broken += 1
        self.paid += order is self.order
        if self.broken == MOST_UNUSABLE or self.paid == _MOST_PAID:
            raise _vain(str(error)) from error


def _vain(said: str) -> FatalError:
    return FatalError(
        f"{said}, again and again, and may bill each answer: check embedder.base.url, and what "
        "stands between it and the worker"
    )


def _again(error: RetriableError) -> RetriableError:
    """To be tried at once, as it is the gate that waits."""
    return RetriableError(str(error), retry_after_s=0.0)


def _end_failed(passing: Pass, error: RetriableError) -> None:
    """An outage; a provider that says how long it lasts is taken at its word."""
    if error.retry_after_s is None:
        passing.failed(str(error))
    else:
        passing.limited(error.retry_after_s)
