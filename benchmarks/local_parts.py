"""The parts of the comparison: raw ``encode``, the embedder alone, and what one call is made of."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from worker.embed.batching import by_length
from worker.embed.loaded_models import acquire, release
from worker.embed.local import LocalConfig, LocalEmbedder
from worker.embed.model_files import path_of
from worker.embed.port import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DOCUMENT = Purpose.DOCUMENT
BATCH_SIZES = {"cpu": (8, 16, 32), "gpu": (128, 256, 512, 1024)}
"""Of ``encode``, to find the best."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured on what."""

    model: str
    device: str

    @property
    def kind(self) -> str:
        """``cpu`` or ``gpu``."""
        return "cpu" if self.device == "cpu" else "gpu"

    def keys(self, bound: int | None) -> dict[str, str]:
        """Of the connector; without a bound it is the default."""
        keys = {
            "embedder": "local",
            "embedder.model": self.model,
            "embedder.device": self.device,
        }
        return keys if bound is None else {**keys, "embedder.batch.tokens": str(bound)}


def device_of(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def machine_of(device: str) -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "sentence_transformers": sentence_transformers.__version__,
    }


class Bench:
    """The library's model and ours, loaded and warm, over the same texts; rates are texts/s."""

    def __init__(self, setting: Setting, texts: Sequence[str]) -> None:
        transformers_logging.disable_progress_bar()
        self._setting = setting
        self._texts = list(texts)
        half = {"dtype": torch.float16} if setting.device.startswith("cuda") else {}
        self._library = SentenceTransformer(
            path_of(setting.model), device=setting.device, model_kwargs=half
        )
        self._embedders: dict[int | None, LocalEmbedder] = {}

    def likeness(self) -> dict[str, float]:
        """How far our vectors are from the library's in the same precision, and in float32."""
        texts = self._texts[:500]
        ours = self._embedder(1 << 14).embed(texts, _DOCUMENT).vectors
        same = self._library.encode(texts, normalize_embeddings=True)
        full = SentenceTransformer(path_of(self._setting.model), device=self._setting.device)
        exact = full.float().encode(texts, normalize_embeddings=True)
        return {
            "largest_difference": float(np.abs(ours - same.astype(np.float32)).max()),
            "least_cosine_to_float32": float((ours * exact).sum(axis=1).min()),
        }

    def best_batch_size(self, texts: int) -> int:
        """Of ``encode``, by its rates over so many of the texts."""
        return max(BATCH_SIZES[self._setting.kind], key=lambda size: self.encode(size, texts))

    def encode(self, batch_size: int, texts: int | None = None) -> float:
        """Over all texts, or the first ones."""
        chosen = self._texts[:texts]
        self._library.encode(self._texts[: 4 * batch_size], batch_size=batch_size)
        began_s = time.perf_counter()
        self._library.encode(chosen, batch_size=batch_size, normalize_embeddings=True)
        return len(chosen) / (time.perf_counter() - began_s)

    def embedder(self, bound: int | None, side_by_side: int) -> float:
        embedder = self._embedder(bound)
        calls = self._calls(embedder.limits.texts)
        with ThreadPoolExecutor(side_by_side) as pool:
            began_s = time.perf_counter()
            list(pool.map(lambda texts: embedder.embed(texts, _DOCUMENT), calls))
            return len(self._texts) / (time.perf_counter() - began_s)

    def one_call(self, bound: int) -> dict[str, float]:
        """Milliseconds of the parts of one call that has the machine for itself."""
        texts = self._calls(self._embedder(bound).limits.texts)[0]
        model = acquire(self._setting.model, self._setting.device)
        moments = [time.perf_counter()]
        tokens = model.tokens(texts, _DOCUMENT)
        moments.append(time.perf_counter())
        batches = list(by_length(tokens.counts, bound))
        made = [tokens.features(batch) for batch in batches]
        moments.append(time.perf_counter())
        model.compute(tokens, batches, _DOCUMENT)
        moments.append(time.perf_counter())
        release(model)
        counting, filling, computing = np.diff(moments) * 1e3
        padded = sum(features["input_ids"].numel() for features in made)
        return {
            "texts": len(texts),
            "batches": len(batches),
            "tokens": sum(tokens.counts),
            "padding_percent": round(100 * (1 - sum(tokens.counts) / padded), 1),
            "tokenise_ms": round(float(counting), 2),
            "fill_batches_ms": round(float(filling), 2),
            "fill_and_compute_ms": round(float(computing), 2),
        }

    def profile(self, bound: int) -> list[str]:
        """The costliest operations: of our calls on a GPU, of the library's on a CPU."""
        kind = torch.profiler.ProfilerActivity
        if not self._setting.device.startswith("cuda"):
            return _costliest([kind.CPU], lambda: self._library.encode(self._texts[:64]))
        embedder = self._embedder(bound)
        texts = self._texts[: 4 * embedder.limits.texts]
        return _costliest([kind.CPU, kind.CUDA], lambda: embedder.embed(texts, _DOCUMENT))

    def _calls(self, size: int) -> list[list[str]]:
        return [self._texts[at : at + size] for at in range(0, len(self._texts), size)]

    def _embedder(self, bound: int | None) -> LocalEmbedder:
        """Warm: the shapes of two calls were seen."""
        if bound not in self._embedders:
            keys = self._setting.keys(bound)
            config = {name: keys[name] for name in keys if name != "embedder"}
            self._embedders[bound] = LocalEmbedder(LocalConfig.model_validate(config))
            for call in self._calls(self._embedders[bound].limits.texts)[:2]:
                self._embedders[bound].embed(call[: max(16, len(self._texts) // 10)], _DOCUMENT)
        return self._embedders[bound]


def _costliest(activities: list[Any], work: Callable[[], object]) -> list[str]:
    """Lines of a table."""
    with torch.profiler.profile(activities=activities) as profiler:
        work()
    device = "device" if len(activities) > 1 else "cpu"
    table: str = profiler.key_averages().table(
        sort_by=f"self_{device}_time_total", row_limit=15, max_name_column_width=60
    )
    return table.splitlines()
