"""How fast, how many calls, how much CPU and memory: inserts from their topic to the index."""

from __future__ import annotations

from dataclasses import dataclass, fields
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.main_job.place import Place
    from benchmarks.rows import Rows


@dataclass(frozen=True, slots=True)
class Speed:
    """One run; or the medians of several."""

    rows_per_s: float
    """From the first embedding request to the last upsert."""
    calls_per_1000: float
    """Embedding calls per 1,000 rows."""
    cpu_ms: float
    """CPU of the worker per row, with its start-up and its end."""
    start_cpu_s: float
    """CPU until the first embedding request; a part of ``cpu_ms``."""
    start_s: float
    """Until the first embedding request."""
    end_s: float
    """From the last upsert to the end of the process."""
    peak_mib: float
    servers_cpu_ms: float
    """CPU of the two stand-ins per row, which the same cores have to give."""

    @classmethod
    def median(cls, runs: Sequence[Speed]) -> Speed:
        """Of each figure."""
        return cls(*(median(getattr(run, one.name) for run in runs) for one in fields(cls)))


def measure(place: Place, rows: Rows, dimensions: int) -> Speed:
    """One run into a new index.

    Raises:
        AssertionError: the index does not hold every row.
    """
    provider, pinecone = place.servers.provider, place.servers.pinecone
    with (
        place.servers.index(dimensions) as index,
        place.worker(rows.topic, index, dimensions) as worker,
    ):
        place.servers.reset()
        before_s = place.servers.cpu_s
        worker.start()
        worker.finish()
        servers_cpu_s = place.servers.cpu_s - before_s
        embedded, written = provider.stats("cohere"), pinecone.stats("upsert")
        assert place.servers.vectors(index) == rows.count, worker.log
    first_ms, last_ms = embedded["first_ms"], written["last_ms"]
    start_cpu_s = worker.cpu_s_at(first_ms)
    return Speed(
        rows_per_s=rows.count / (last_ms - first_ms) * 1000,
        calls_per_1000=embedded["calls"] / rows.count * 1000,
        cpu_ms=worker.cpu_s / rows.count * 1000,
        start_cpu_s=start_cpu_s,
        start_s=(first_ms - worker.started_ms) / 1000,
        end_s=(worker.ended_ms - last_ms) / 1000,
        peak_mib=worker.peak_mib,
        servers_cpu_ms=servers_cpu_s / rows.count * 1000,
    )
