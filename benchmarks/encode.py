"""The local model without an engine: ``model.encode`` by its best batch size, and our embedder.

python -m benchmarks.encode ROWS
"""

from __future__ import annotations

import sys

from benchmarks.child import answer
from benchmarks.local_parts import BATCH_SIZES, Bench, Setting, device_of
from benchmarks.rows import Rows
from worker.embed.model_files import PACKAGED

_SIDE_BY_SIDE = 2
"""Calls, as ``embedder.max.in.flight`` has it."""


def main(rows: int) -> None:
    """Try each batch size on all texts and answer with the best, and with the embedder's rate."""
    setting = Setting(PACKAGED, device_of("auto"))
    bench = Bench(setting, Rows(rows).texts())
    rates = {size: bench.encode(size) for size in BATCH_SIZES[setting.kind]}
    best = max(rates, key=rates.__getitem__)
    alone = bench.embedder(None, _SIDE_BY_SIDE)
    answer({"rows_per_s": rates[best], "batch_size": best, "embedder_per_s": alone})


if __name__ == "__main__":
    main(int(sys.argv[1]))
