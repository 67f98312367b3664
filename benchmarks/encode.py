"""The local model without an engine: ``model.encode`` by its best batch size, and our embedder.

The best of several runs is fast by chance as well, so what counts is a run after the choice.

python -m benchmarks.encode ROWS
"""

from __future__ import annotations

import sys

from benchmarks.child import answer
from benchmarks.local_parts import Bench, Setting, device_of
from benchmarks.rows import Rows
from worker.embed.model_files import PACKAGED

_SIDE_BY_SIDE = 2
"""Calls, as ``embedder.max.in.flight`` has it."""
_CHOSEN_BY = 0.3
"""Of the texts."""


def main(rows: int) -> None:
    """Choose a batch size by some of the texts; answer with its rate and with the embedder's."""
    setting = Setting(PACKAGED, device_of("auto"))
    bench = Bench(setting, Rows(rows).texts())
    best = bench.best_batch_size(round(_CHOSEN_BY * rows))
    encode, alone = bench.encode(best), bench.embedder(None, _SIDE_BY_SIDE)
    answer({"rows_per_s": encode, "batch_size": best, "embedder_per_s": alone})


if __name__ == "__main__":
    main(int(sys.argv[1]))
