"""The local model alone: ``model.encode`` on the texts of the rows, by the best batch size.

python -m benchmarks.encode ROWS
"""

from __future__ import annotations

import sys
import time

from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from benchmarks.child import answer
from benchmarks.rows import Rows
from worker.embed.model_files import PACKAGED, path_of

_BATCH_SIZES = (8, 16, 32, 64)


def main(rows: int) -> None:
    """Try each batch size and answer with the best."""
    transformers_logging.disable_progress_bar()
    model, texts = SentenceTransformer(path_of(PACKAGED)), Rows(rows).texts()
    model.encode(texts[:16], show_progress_bar=False)
    rates = {}
    for size in _BATCH_SIZES:
        began_s = time.perf_counter()
        model.encode(texts, batch_size=size, normalize_embeddings=True, show_progress_bar=False)
        rates[size] = rows / (time.perf_counter() - began_s)
    best = max(rates, key=rates.__getitem__)
    answer({"rows_per_s": rates[best], "batch_size": best})


if __name__ == "__main__":
    main(int(sys.argv[1]))
