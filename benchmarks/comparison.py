"""Comparisons that alternate, A B A B, so that both sides meet the same load of the machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.child import Figures, ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.rows import Rows
    from tests.stack.kafka import Kafka


@dataclass(frozen=True, slots=True)
class Engine:
    """The whole engine beside the bare loop, on one topic; medians of the runs."""

    bare: Figures
    engine: Figures
    ratio: float
    """CPU per row of the engine without embedder and store, to that of the bare loop."""
    runs: int


@dataclass(frozen=True, slots=True)
class Local:
    """The whole engine with the local model and the embedder alone, beside ``model.encode``."""

    texts: int
    encode_per_s: float
    encode_batch_size: int
    embedder_per_s: float
    engine_per_s: float
    """Since its first call of the embedder."""
    start_s: float
    """Between the first record and that call."""
    ratio: float
    """Texts per second of the engine, to those of ``encode``."""
    runs: int


def compare_steps(kafka: Kafka, rows: Rows, rounds: int) -> dict[str, dict[str, float]]:
    """CPU µs per row and ratio of each step."""
    return ask("steps", kafka.bootstrap, rows.topic, rows.count, rounds)


def compare_engine(kafka: Kafka, rows: Rows, runs: int) -> Engine:
    """Bare, engine, bare, engine …, each in a process of its own."""
    place = (kafka.bootstrap, rows.topic, rows.count)
    pairs = [
        (Figures(**ask("bare", *place)), Figures(**ask("engine", *place, "fake")))
        for _ in range(runs)
    ]
    return Engine(
        bare=_median([bare for bare, _ in pairs]),
        engine=_median([engine for _, engine in pairs]),
        ratio=median(engine.cpu_us / bare.cpu_us for bare, engine in pairs),
        runs=runs,
    )


def compare_local(kafka: Kafka, rows: Rows, runs: int) -> Local:
    """Encode, engine, encode, engine …, each in a process of its own."""
    place = (kafka.bootstrap, rows.topic, rows.count)
    pairs: list[tuple[dict[str, Any], Figures]] = [
        (ask("encode", rows.count), Figures(**ask("engine", *place, "local"))) for _ in range(runs)
    ]
    return Local(
        texts=rows.count,
        encode_per_s=median(encode["rows_per_s"] for encode, _ in pairs),
        encode_batch_size=pairs[0][0]["batch_size"],
        embedder_per_s=median(encode["embedder_per_s"] for encode, _ in pairs),
        engine_per_s=median(engine.steady_per_s for _, engine in pairs),
        start_s=median(engine.start_s for _, engine in pairs),
        ratio=median(engine.steady_per_s / encode["rows_per_s"] for encode, engine in pairs),
        runs=runs,
    )


def _median(figures: Sequence[Figures]) -> Figures:
    """Of each figure by itself."""
    held = [asdict(one) for one in figures]
    middle = {name: median(one[name] for one in held) for name in held[0]}
    return Figures(**(middle | {"rows": figures[0].rows}))
