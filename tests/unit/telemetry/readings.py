"""A connector that is busy, as metrics read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from worker.model import Outcome
from worker.telemetry.bill import Bill
from worker.telemetry.calls import EMBEDDING_BOUNDS_S, STORE_BOUNDS_S, Kind
from worker.telemetry.counters import Counters
from worker.telemetry.metrics import Metrics
from worker.telemetry.reading import BudgetReading, ProviderReading, Reading, StoreReading
from worker.telemetry.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Sequence


def spread(bounds: Sequence[float], *numbers: float) -> Spread:
    made = Spread(bounds)
    for number in numbers:
        made.add(number)
    return made


OPENAI = ProviderReading(
    provider="openai",
    model="text-embedding-3-small",
    circuit="limited",
    waiting=3,
    in_flight=2,
    limited=4,
    opened=1,
    durations={
        Kind("embeddings", ""): spread(EMBEDDING_BOUNDS_S, 0.03, 0.5),
        Kind("embeddings", "429"): spread(EMBEDDING_BOUNDS_S, *[0.01] * 4),
        Kind("embeddings", "ConnectTimeout"): spread(EMBEDDING_BOUNDS_S, 10.0),
    },
)
STORE = StoreReading(
    "pinecone",
    {
        Kind("upsert", ""): spread(STORE_BOUNDS_S, 0.02),
        Kind("upsert", "503"): spread(STORE_BOUNDS_S, 0.3, 0.4),
    },
)


def busy() -> Reading:
    counters = Counters(
        records=110,
        outcomes=Counter({Outcome.WRITTEN: 90, Outcome.DEAD_LETTERED: 10}),
        batches=5,
        rebalances=2,
        bill=Bill(requests=7, texts=90, tokens=1000, usd=0.5, truncated=1),
        tokens_by_table=Counter(products=900, reviews=100),
        texts_by_table=Counter(products=80, reviews=10),
        dead_letters=Counter(TextTooLong=10),
        replays=Counter(replayed=3),
        dropped_metadata=Counter(description=3),
    )
    for share in (0.5, 1.0, 1.0):
        counters.fill.add(share)
    counters.freshness.record("products", [10_000, 11_500], 12_000.0)
    return Reading(
        connector="shop",
        group="connect-shop",
        counters=counters,
        tasks=Counter(RUNNING=2),
        buffered=8,
        in_flight=3,
        lag={"shop.public.products": 42},
        open_letters=4,
        lag_s={"shop.public.products": 7.5},
        provider=OPENAI,
        store=STORE,
        budget=BudgetReading(0.25, is_spent=False),
    )


def prometheus_text() -> str:
    metrics = Metrics(lambda: [busy()])
    try:
        return metrics.text().decode()
    finally:
        metrics.close()
