"""The embedding of a connector without limits and budget, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.embed.port import Overlong
from worker.pipeline.caller import Caller
from worker.pipeline.embedding import Embedding
from worker.pipeline.exposure import Exposure
from worker.spend.unlimited import UnlimitedPurse
from worker.state.memory import MemoryStateTopic
from worker.throttle.accounts import Accounts
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from random import Random

    from worker.clock import Clock
    from worker.embed.port import Embedder
    from worker.spend.port import Purse


def embedding_of(
    embedder: Embedder,
    clock: Clock,
    *,
    purse: Purse | None = None,
    rates: Rates | None = None,
    overlong: Overlong = Overlong.TRUNCATE,
    pool: Executor | None = None,
    rng: Random | None = None,
) -> Embedding:
    gate = Accounts(clock, rng).gate("fake", rates or Rates())
    unlimited = UnlimitedPurse(MemoryStateTopic(), clock=clock)
    used = purse or unlimited
    exposure = Exposure.of(used.report(), embedder.terms.price)
    return Embedding("products", Caller(embedder, gate, used, overlong, exposure), pool)
