"""Embeddings on this machine, by sentence-transformers on a GPU or the CPU."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from worker.config.section import Section
from worker.embed.batching import by_length, estimated_tokens
from worker.embed.model_files import PACKAGED
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.errors import FatalError, RecordError, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from worker.embed.local_model import LocalModel
    from worker.model import ModelId

# torch takes seconds to import, so that happens with the model; what is missing is said here.
if find_spec("sentence_transformers") is None:
    raise ImportError("no sentence-transformers", name="sentence_transformers")

_BATCH_TOKENS = {"cpu": 2048, "gpu": 65_536}
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
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
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
        description="Calls side by side; the model computes one at a time.",
    )


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
        """Enough texts to sort by length; one call computes while the next prepares."""
        return Limits(texts=96, in_flight=self._config.max_in_flight)

    @property
    def terms(self) -> Terms:
        """Costs nothing but the machine."""
        return Terms(account="local")

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """Embed in batches of like length; unit vectors.

        Raises:
            FatalError: the model cannot be loaded, or makes no usable vector of anything.
            RetriableError: even one text does not fit into the GPU's memory now.
        """
        del overlong
        model = self._loaded()
        vectors = np.zeros((len(texts), model.id.dimensions), dtype=np.float32)
        tokens = 0
        bound = self._config.batch_tokens or _BATCH_TOKENS["cpu" if model.on_cpu else "gpu"]
        estimates = [estimated_tokens(text, model.longest) for text in texts]
        for batch in by_length(estimates, bound):
            vectors[batch], counted = model.compute([texts[i] for i in batch], purpose)
            tokens += counted
        return Embeddings(vectors, tokens, _refused(model, vectors, purpose))

    def close(self) -> None:
        """Give the model back; the last one frees it."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held.release()

    def _loaded(self) -> LocalModel:
        with self._lock:
            if self._held is None:
                from worker.embed.local_model import acquire  # noqa: PLC0415 - imports torch

                self._held = acquire(self._config.model, self._config.device)
            return self._held


def _refused(
    model: LocalModel, vectors: NDArray[np.float32], purpose: Purpose
) -> dict[int, RecordError]:
    """Texts whose vectors cannot be used; it is their fault only if another text works."""
    bad = np.flatnonzero(~_usable(vectors))
    if len(bad) == len(vectors) > 0:
        probe, _ = model.compute([_PROBE], purpose)
        if not _usable(probe)[0]:
            raise FatalError(
                f"the model {model.id.name} on {model.device} makes no usable vectors: "
                f"try embedder.device=cpu, or another model"
            )
    return {
        int(index): RecordError(
            "the model makes no usable vector of the text", stage=Stage.EMBED, kind="VectorUnusable"
        )
        for index in bad
    }


def _usable(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows are finite and not zero."""
    lengths = np.linalg.norm(vectors, axis=1)
    usable: NDArray[np.bool_] = np.isfinite(lengths) & (lengths > 0)
    return usable
