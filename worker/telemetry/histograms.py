"""The metrics that show how numbers are spread. See ``instruments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from worker.immutable import immutable
from worker.telemetry.points import of_call, of_connector, of_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.telemetry.instrument import Attributes
    from worker.telemetry.reading import Reading
    from worker.telemetry.spread import Spread

Spreads: TypeAlias = "Iterator[tuple[Spread, Attributes]]"


@immutable
class Histogram:
    """A metric of how numbers are spread."""

    name: str
    unit: str
    meaning: str
    spreads: Callable[[Reading], Spreads]


def _freshness(reading: Reading) -> Spreads:
    for table, ages in dict(reading.counters.freshness.by_table).items():
        yield ages.spread, {**of_connector(reading), "table": table}


def _embedding_calls(reading: Reading) -> Spreads:
    if reading.provider is not None:
        for kind, spread in reading.provider.durations.items():
            yield spread, {**of_model(reading), **of_call(kind, "gen_ai.operation.name")}


def _store_calls(reading: Reading) -> Spreads:
    if reading.store is not None:
        system = {**of_connector(reading), "db.system.name": reading.store.system}
        for kind, spread in reading.store.durations.items():
            yield spread, {**system, **of_call(kind, "db.operation.name")}


def _fill(reading: Reading) -> Spreads:
    yield reading.counters.fill, of_connector(reading)


HISTOGRAMS = (
    Histogram(
        "vecsink.freshness", "s",
        "Time from the commit in the database until the index had the change; without snapshots.",
        _freshness,
    ),
    Histogram(
        "vecsink.batch.fill", "1",
        "Rows of the batches that went out, as part of the rows that one may have.", _fill,
    ),
    Histogram(
        "gen_ai.client.operation.duration", "s",
        "Time of one call of the embedding provider.", _embedding_calls,
    ),
    Histogram(
        "db.client.operation.duration", "s", "Time of one call of the store.", _store_calls
    ),
)  # fmt: skip
