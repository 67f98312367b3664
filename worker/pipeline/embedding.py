"""The texts of a batch to vectors: calls that run side by side, until each text is settled.

What one call answered is kept, whatever becomes of the others: no text is paid for twice.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from worker.embed.port import Embeddings, Purpose
from worker.errors import FatalError, RecordError
from worker.pipeline.errand import PROBE, Order, OverBudgetError
from worker.pipeline.lease import LeaseExpired
from worker.pipeline.patience import Interrupted
from worker.pipeline.texts import Embedded, Texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from worker.embed.port import Embedder
    from worker.model import ModelId, Vector
    from worker.pipeline.caller import Caller
    from worker.pipeline.errand import Errand
    from worker.spend.port import Outlook, Report
    from worker.telemetry.calls import Durations
    from worker.throttle.gate import Numbers

_LOOK_EVERY_S = 0.25
_MOST_REFUSALS = 12
"""In a row: finding one text among a thousand takes fewer, as its neighbours pass."""
_FEW_REFUSALS = 2
"""The last ones of a batch; after more of them nobody has seen the provider work."""


class Embedding:
    """Embeds for all tasks of a connector. Thread-safe."""

    def __init__(self, name: str, caller: Caller, pool: Executor | None = None) -> None:
        """``pool`` is where calls run; threads of its own, one per call, by default."""
        self._name = name
        self._caller = caller
        self._lock = threading.Lock()
        self._held: dict[int, int] = {}
        self._pool = pool or ThreadPoolExecutor(caller.embedder.limits.in_flight, "embedding")

    @property
    def model(self) -> ModelId:
        """Identity of the vectors."""
        return self._embedder.model

    def __call__(self, texts: Sequence[str], tables: Sequence[str], errand: Errand) -> Embedded:
        """Embed distinct texts, of one table each. Failures are part of the answer, not raised."""
        asked = Texts(self._caller, texts, tables)
        errand = replace(errand, check=partial(asked.check, errand.check), aside=asked.costs.aside)
        under_way = {self._submit(asked, piece, errand): piece for piece in asked.pieces()}
        while under_way:
            ended, _ = wait(under_way, _LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            if not ended and errand.is_late():
                asked.fail(LeaseExpired())
                return asked.ended()
            for future in ended:
                piece = under_way.pop(future)
                for more in asked.settle(piece, future):
                    under_way[self._submit(asked, more, errand)] = more
            if asked.refusals > _MOST_REFUSALS:
                self._judge(asked, errand)
        if asked.embedded.refused and (not asked.has_passed or asked.refusals > _FEW_REFUSALS):
            self._judge(asked, errand)
        return asked.ended()

    def query(self, text: str, errand: Errand) -> Vector:
        """The vector of a question.

        Raises:
            FatalError: it cannot be had.
        """
        asking = replace(errand, purpose=Purpose.QUERY)
        answer = self._caller(Order.of_one(text), asking)
        vector: Vector = answer.vectors[0]
        return vector

    @property
    def budget_left(self) -> float:
        """Tokens that today's budget still covers; infinite without one."""
        left = self._caller.purse.left()
        return math.inf if left is None else left

    def room(self, least: int) -> float:
        """Tokens for which calls may begin now, beside others. See ``Exposure``."""
        return self._caller.exposure.room(least)

    def outlook(self, tokens: int) -> Outlook:
        """Whether today's budget covers a text of so many tokens."""
        return self._caller.purse.outlook(tokens)

    @property
    def budget(self) -> Report:
        """How the day's budget stands."""
        return self._caller.purse.report()

    @property
    def numbers(self) -> Numbers:
        """Of the account, for metrics."""
        return self._caller.gate.numbers

    @property
    def durations(self) -> Durations:
        """Of this connector's calls."""
        return self._caller.calls.durations

    def tick(self) -> None:
        """What is spent is written down now and then; called often, never blocks."""
        self._caller.purse.tick()

    def hold(self, task: int, held: int, total: int) -> None:
        """Say how many of the group's partitions a task holds: its share of the limits.

        The account's limits hold for all processes of the group together.
        """
        with self._lock:
            self._held[task] = held
            self._caller.gate.hold(self._name, sum(self._held.values()), total)

    def leave(self, task: int) -> None:
        """The task has ended."""
        with self._lock:
            self._held.pop(task, None)
            if not self._held:
                self._caller.gate.leave(self._name)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def _embedder(self) -> Embedder:
        return self._caller.embedder

    def _submit(self, asked: Texts, piece: Sequence[int], errand: Errand) -> Future[Embeddings]:
        """In the context of the batch, so that whatever follows it finds its way."""
        run = copy_context().run
        return self._pool.submit(run, asked.ask, asked.order(piece), errand)

    def _judge(self, asked: Texts, errand: Errand) -> None:
        """Texts are at fault only if another text passes with the same parameters."""
        if asked.is_over:
            asked.embedded.refused.clear()
            return
        try:
            answer = self._caller(PROBE, errand)
        except RecordError as error:
            asked.costs.refused()
            asked.give_up(_refuses_everything(self.model, str(error)))
        except (Interrupted, LeaseExpired, FatalError, OverBudgetError) as error:
            asked.give_up(error if isinstance(error, FatalError) else Interrupted())
        else:
            asked.costs.charge(PROBE, answer.tokens)
            asked.passes()


def _refuses_everything(model: ModelId, said: str) -> FatalError:
    return FatalError(
        f"{model.provider} refuses every text, a short probe as well: {said}; check "
        "embedder.model, embedder.dimensions and embedder.base.url"
    )
