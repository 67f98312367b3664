"""Each measurement is a process of its own: parameters in its arguments, figures on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.meters import peak_mib

if TYPE_CHECKING:
    from benchmarks.meters import Moment

_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of a loop cost, between its first and its last record."""

    rows: int
    cpu_us: float
    """CPU of the process per row; without embedder and store."""
    rows_per_s: float
    peak_mib: float
    collector_us: float = 0.0
    """The part of ``cpu_us`` that Python's garbage collector takes."""
    kept_apart_us: float = 0.0
    """CPU of embedder and store per row."""
    start_s: float = 0.0
    """Of the time, what passes between the first record and the first call of the embedder."""

    @property
    def steady_per_s(self) -> float:
        """Rows per second since the first call of the embedder."""
        return self.rows / (self.rows / self.rows_per_s - self.start_s)

    @classmethod
    def of(
        cls,
        rows: int,
        began: Moment,
        ended: Moment,
        kept_apart_s: float = 0.0,
        start_s: float = 0.0,
    ) -> Figures:
        """Between two moments of this process."""
        return cls(
            rows=rows,
            cpu_us=(ended.cpu_s - began.cpu_s - kept_apart_s) / rows * 1e6,
            rows_per_s=rows / (ended.wall_s - began.wall_s),
            peak_mib=peak_mib(),
            collector_us=(ended.collector_s - began.collector_s) / rows * 1e6,
            kept_apart_us=kept_apart_s / rows * 1e6,
            start_s=start_s,
        )


def answer(figures: Figures | dict[str, Any]) -> None:
    """In the child: hand the figures back."""
    print(json.dumps(figures if isinstance(figures, dict) else asdict(figures)))


def ask(module: str, *arguments: object) -> dict[str, Any]:
    """In the parent: run ``benchmarks.<module>`` to its end and take its figures.

    Raises:
        RuntimeError: it failed; its messages went to stderr.
        subprocess.TimeoutExpired: it hangs.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, timeout=_TIMEOUT_S
    )
    if done.returncode != 0:
        raise RuntimeError(f"benchmarks.{module} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
