"""The local model beside the best raw ``model.encode``, without Kafka, on whatever device is there.

    python -m benchmarks.local_model --texts 100000

Encode by several batch sizes, the embedder alone by several bounds and numbers of calls side by
side, then encode and the whole engine in turns (source and store in memory). Prints a table and
writes JSON. ``--size`` takes a made-up model of a known size.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.local_parts import BATCH_SIZES, Bench, Setting, device_of, machine_of
from benchmarks.memory_engine import memory_engine
from benchmarks.models import make
from benchmarks.rows import Rows
from benchmarks.samples import Frames, Utilisation
from worker.embed.model_files import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.child import Figures
    from benchmarks.memory_engine import MemoryEngine

_BOUNDS = {"cpu": (256, 512, 1024), "gpu": (16_384, 32_768, 65_536)}
_SIDE_BY_SIDE = {"cpu": (2,), "gpu": (1, 2, 4)}


def main(  # noqa: PLR0913 - options of a command
    *,
    texts: Annotated[int, typer.Option(help="Texts of 60 words on average.")] = 1_000,
    model: Annotated[str, typer.Option(help="As embedder.model.")] = PACKAGED,
    size: Annotated[str, typer.Option(help="Random weights: minilm, base, large.")] = "",
    device: Annotated[str, typer.Option(help="As embedder.device.")] = "auto",
    runs: Annotated[int, typer.Option(help="Pairs of encode and engine.")] = 2,
    switch_us: Annotated[
        list[int] | None, typer.Option(help="Python's thread switch interval; repeatable.")
    ] = None,
    budget_s: Annotated[float, typer.Option(help="Start nothing more after this.")] = 200.0,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Measure and print."""
    intervals_s = [us / 1e6 for us in switch_us or []] or [sys.getswitchinterval()]
    with TemporaryDirectory(prefix="vecsink-model-") as folder:
        name = make(Path(folder) / "model", size, like=model) if size else model
        comparison = Comparison(Setting(name, device_of(device)), texts, budget_s, out)
        comparison.note({"what": {"model": size or Path(model).name, "texts": texts}})
        comparison.run(runs, intervals_s)
    print(json.dumps(comparison.found, indent=1))


class Comparison:
    """Everything that is measured, as far as the time allows."""

    def __init__(self, setting: Setting, texts: int, budget_s: float, out: Path | None) -> None:
        self.found: dict[str, Any] = {}
        self._ends_s = time.perf_counter() + budget_s
        self._setting = setting
        self._rows = Rows(texts)
        self._out = out

    def note(self, what: dict[str, Any]) -> None:
        """At once also on stderr and in the file, for the case that there is no end."""
        self.found |= what
        print(json.dumps(what), file=sys.stderr, flush=True)
        if self._out:
            self._out.write_text(json.dumps(self.found, indent=1) + "\n")

    def run(self, runs: int, intervals_s: list[float]) -> None:
        bench = Bench(self._setting, self._rows.texts())
        self.note({"machine": machine_of(self._setting.device), "like": bench.likeness()})
        batch_size = self._best_batch_size(bench)
        bound = self._best_bound(bench)
        with memory_engine(self._rows) as engine:
            keys = self._setting.keys(bound)
            self.note({"engine without model": engine.run({"embedder": "fake"}).rows_per_s})
            engine.run(keys)
            for interval_s in intervals_s:
                self._pairs(interval_s, runs, lambda: bench.encode(batch_size), engine, keys)
            self._frames(engine, keys)
        self.note({"profile": bench.profile(bound)})

    def _best_batch_size(self, bench: Bench) -> int:
        rates = {size: bench.encode(size) for size in BATCH_SIZES[self._kind]}
        self.note({"encode": rates})
        return max(rates, key=rates.__getitem__)

    def _best_bound(self, bench: Bench) -> int:
        rates = {
            (bound, calls): bench.embedder(bound, calls)
            for bound in _BOUNDS[self._kind]
            for calls in _SIDE_BY_SIDE[self._kind]
        }
        named = {f"{bound} tokens, {calls} calls": rate for (bound, calls), rate in rates.items()}
        self.note({"embedder": named})
        self.note({"one call": {bound: bench.one_call(bound) for bound in _BOUNDS[self._kind]}})
        return max(rates, key=rates.__getitem__)[0]

    def _pairs(
        self,
        interval_s: float,
        runs: int,
        encode: Callable[[], float],
        engine: MemoryEngine,
        keys: Mapping[str, str],
    ) -> None:
        """Encode, engine, encode, engine and so on; the engine with its own switch interval."""
        usual_s = sys.getswitchinterval()
        pairs: list[Pair] = []
        while len(pairs) < runs and not self._is_late:
            raw = encode()
            sys.setswitchinterval(interval_s)
            with Utilisation() as gpu:
                figures = engine.run(keys)
            sys.setswitchinterval(usual_s)
            pairs.append(Pair(raw, figures, gpu.mean))
        if pairs:
            self.note({f"engine, switch {interval_s * 1e6:.0f} us": _summary(pairs)})

    def _frames(self, engine: MemoryEngine, keys: Mapping[str, str]) -> None:
        if self._is_late:
            return
        with Frames() as frames:
            engine.run(keys)
        self.note({"frames": frames.most(25)})

    @property
    def _kind(self) -> str:
        return self._setting.kind

    @property
    def _is_late(self) -> bool:
        return time.perf_counter() > self._ends_s


@dataclass(frozen=True, slots=True)
class Pair:
    """One run of each, one after the other."""

    encode_per_s: float
    engine: Figures
    gpu_percent: float | None

    @property
    def ratio(self) -> float:
        return self.engine.steady_per_s / self.encode_per_s


def _summary(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        "encode_per_s": median(pair.encode_per_s for pair in pairs),
        "engine_per_s": median(pair.engine.steady_per_s for pair in pairs),
        "start_s": median(pair.engine.start_s for pair in pairs),
        "ratio": median(pair.ratio for pair in pairs),
        "cpu_us": median(pair.engine.cpu_us + pair.engine.kept_apart_us for pair in pairs),
        "gpu_percent": pairs[-1].gpu_percent,
        "runs": len(pairs),
    }


if __name__ == "__main__":
    typer.run(main)
