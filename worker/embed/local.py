"""Embeddings on this machine, by sentence-transformers on a GPU or the CPU."""

from __future__ import annotations

import re
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, field_validator

from worker.config.section import Section
from worker.embed.batching import by_length
from worker.embed.model_files import PACKAGED
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.errors import FatalError, RecordError, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from worker.embed.local_model import LocalModel
    from worker.embed.tokens import Tokens
    from worker.model import ModelId

# torch takes seconds to import, so that happens with the model; what is missing is said here.
if find_spec("sentence_transformers") is None:
    raise ImportError("no sentence-transformers", name="sentence_transformers")

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_BATCH_TOKENS = {"cpu": 512, "gpu": 32_768}
_TEXTS = {"cpu": 288, "gpu": 2048}
"""Of one call: enough to fill several batches of like length."""
_PROBE = "A short text that every model can embed."


class LocalConfig(Section):
    """Settings of the local embedder."""

    model: str = Field(
        default=PACKAGED,
        alias="embedder.model",
        min_length=1,
        description="Folder or Hugging Face name of a sentence-transformers model; the default "
        f"{PACKAGED} comes as a Python package and needs no network.",
    )
    device: str = Field(
        default="auto",
        alias="embedder.device",
        description="auto (a GPU if there is one), cpu, mps, cuda or cuda:<number>.",
    )
    batch_tokens: int | None = Field(
        default=None,
        alias="embedder.batch.tokens",
        ge=1,
        description="About how many tokens the model computes at once, padding included; by "
        f"default {_BATCH_TOKENS['cpu']} on the CPU and {_BATCH_TOKENS['gpu']} on a GPU.",
    )
    max_in_flight: int = Field(
        default=2,
        alias="embedder.max.in.flight",
        ge=1,
        description="Calls side by side; the model computes one and the others prepare.",
    )

    @field_validator("device")
    @classmethod
    def _check_device(cls, given: str) -> str:
        if not _DEVICE.fullmatch(given):
            raise ValueError("auto, cpu, mps, cuda or cuda:N")
        return given


class LocalEmbedder:
    """A model in this process, loaded at first use and shared by all that use the same one."""

    Config: ClassVar[type[Section]] = LocalConfig

    def __init__(self, config: LocalConfig) -> None:
        self._config = config
        self._held: LocalModel | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> ModelId:
        """Loads the model the first time."""
        return self._loaded().id

    @property
    def limits(self) -> Limits:
        """Enough texts to sort by length; one call computes while others prepare.

        Loads the model the first time, as only then ``auto`` is a device; so does ``terms``.
        """
        return Limits(
            texts=_TEXTS[self._kind],
            in_flight=self._config.max_in_flight,
            longest_text=self._loaded().longest_text,
        )

    @property
    def terms(self) -> Terms:
        """Costs nothing but the machine."""
        return Terms(account=f"local/{self._loaded().device}")

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """Embed in batches of like length; unit vectors.

        Raises:
            FatalError: the model cannot be loaded, or makes no usable vector of anything.
            RetriableError: even one text does not fit into the GPU's memory now.
        """
        model = self._loaded()
        tokens = model.tokens(texts, purpose)
        refused = _too_long(model, tokens) if overlong is Overlong.FAIL else {}
        taken = [index for index in range(len(texts)) if index not in refused]
        bound = self._config.batch_tokens or _BATCH_TOKENS[self._kind]
        batches = by_length(tokens.counts, bound, taken)
        vectors, counted = model.compute(tokens, batches, purpose)
        return Embeddings(
            vectors,
            counted,
            refused | _unusable(model, vectors, taken, purpose),
            truncated=sum(index not in refused for index in tokens.overlong),
        )

    def count(self, texts: Sequence[str]) -> Sequence[int]:
        """By the model's own tokenizer; what the model cuts off is not counted."""
        return self._loaded().tokens(texts, Purpose.DOCUMENT).counts

    @property
    def tokenizer(self) -> str | None:
        """The model's own, as ``HasTokenizer`` says."""
        return self._loaded().tokenizer

    def close(self) -> None:
        """Give the model back; the last one frees it."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            from worker.embed.loaded_models import release  # noqa: PLC0415 - imports torch

            release(held)

    @property
    def _kind(self) -> str:
        return "cpu" if self._loaded().on_cpu else "gpu"

    def _loaded(self) -> LocalModel:
        with self._lock:
            if self._held is None:
                from worker.embed.loaded_models import acquire  # noqa: PLC0415 - imports torch

                self._held = acquire(self._config.model, self._config.device)
            return self._held


def _too_long(model: LocalModel, tokens: Tokens) -> dict[int, RecordError]:
    """Texts that the model would cut."""
    return {
        index: RecordError(
            f"the text has {count:,} tokens, and the model {model.id.name} takes {model.longest:,}",
            stage=Stage.EMBED,
            kind="TextTooLong",
        )
        for index, count in tokens.overlong.items()
    }


def _unusable(
    model: LocalModel, vectors: NDArray[np.float32], taken: Sequence[int], purpose: Purpose
) -> dict[int, RecordError]:
    """Texts whose vectors cannot be used; it is their fault only if another text works."""
    bad = [taken[row] for row in np.flatnonzero(~_usable(vectors[taken])).tolist()]
    if 0 < len(bad) == len(taken):
        _require_any_usable(model, purpose)
    return {
        index: RecordError(
            "the model makes no usable vector of the text", stage=Stage.EMBED, kind="VectorUnusable"
        )
        for index in bad
    }


def _require_any_usable(model: LocalModel, purpose: Purpose) -> None:
    """Try a text that is surely good.

    Raises:
        FatalError: not even of that the model makes a vector.
    """
    probe, _ = model.compute(model.tokens([_PROBE], purpose), [[0]], purpose)
    if not _usable(probe)[0]:
        raise FatalError(
            f"the model {model.id.name} on {model.device} makes no usable vectors: "
            f"try embedder.device=cpu, or another model"
        )


def _usable(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows are finite and not zero."""
    lengths = np.linalg.norm(vectors, axis=1)
    usable: NDArray[np.bool_] = np.isfinite(lengths) & (lengths > 0)
    return usable
