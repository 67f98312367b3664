"""The results as one table for people, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.comparison import Engine, Local

ENGINE_TARGET = 3.0
LOCAL_TARGET = 0.95


@dataclass(slots=True)
class Results:
    """What was measured; parts that were left out stay empty."""

    steps: dict[str, dict[str, float]] = field(default_factory=dict)
    engine: list[Engine] = field(default_factory=list)
    local: Local | None = None
    load: tuple[float, float] = (0.0, 0.0)
    """Load average of one minute before and after."""

    def write(self, file: Path) -> None:
        """As JSON, with what one has to know of the machine."""
        file.write_text(json.dumps({"machine": machine(), **asdict(self)}, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "cpu": platform.machine()}


def table(results: Results) -> Table:
    """All results; the ratio is to the bare loop, or to ``encode``."""
    shown = Table(title="Against the bare loop (consume and decode with fastavro)")
    shown.add_column("what")
    for name in ("rows", "CPU µs/row", "of it GC", "rows/s", "peak MiB", "ratio"):
        shown.add_column(name, justify="right")
    _add_steps(shown, results.steps)
    for engine in results.engine:
        _add_engine(shown, engine)
    if results.local is not None:
        _add_local(shown, results.local)
    return shown


def _add_steps(shown: Table, steps: dict[str, dict[str, float]]) -> None:
    for name, found in steps.items():
        cpu_us = found["cpu_us"]
        alone = f"{1e6 / cpu_us:,.0f}"
        shown.add_row(name, "", f"{cpu_us:.1f}", "", alone, "", f"{found['ratio']:.2f}")
    shown.add_section()


def _add_engine(shown: Table, found: Engine) -> None:
    for name, side in (("bare loop", found.bare), ("engine, fake → memory", found.engine)):
        ratio = f"{found.ratio:.2f}" if side is found.engine else ""
        shown.add_row(
            name,
            f"{side.rows:,}",
            f"{side.cpu_us:.1f}",
            f"{side.collector_us:.1f}",
            f"{side.rows_per_s:,.0f}",
            f"{side.peak_mib:.0f}",
            _judged(ratio, good=found.ratio <= ENGINE_TARGET),
        )
    shown.add_section()


def _add_local(shown: Table, found: Local) -> None:
    texts, size = f"{found.texts:,}", found.encode_batch_size
    alone = f"{found.encode_per_s:,.0f}"
    shown.add_row(f"model.encode, batches of {size}", texts, "", "", alone)
    ours = f"{found.embedder_per_s:,.0f}"
    shown.add_row("embedder alone", texts, "", "", ours)
    through = f"{found.engine_per_s:,.0f}"
    ratio = _judged(f"{found.ratio:.2f}", good=found.ratio >= LOCAL_TARGET)
    shown.add_row("engine, local → memory", texts, "", "", through, "", ratio)
    shown.add_row("its start, not counted", "", "", "", f"{found.start_s:.1f} s")


def _judged(ratio: str, *, good: bool) -> str:
    return f"[{'green' if good else 'red'}]{ratio}[/]" if ratio else ""
