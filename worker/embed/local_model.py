"""One sentence-transformers model per process and device, computing one batch at a time.

torch uses all cores or the whole GPU by itself, so calls side by side only cost memory.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from worker.embed.model_files import path_of, stable_name
from worker.embed.port import Purpose
from worker.errors import FatalError, RetriableError
from worker.model import ModelId

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NO_LIMIT = 8192
"""Tokens of a text for models that do not say where they cut."""

_PROMPTS = {
    Purpose.DOCUMENT: ("document", "passage", "corpus"),
    Purpose.QUERY: ("query",),
}
"""Names of prompts by purpose, as ``encode_document`` and ``encode_query`` look for them."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    device: str


class LocalModel:
    """A loaded model."""

    def __init__(self, wanted: _Wanted, network: SentenceTransformer) -> None:
        self.wanted = wanted
        self._network = network
        self._lock = threading.Lock()
        self.device = str(self._network.device)
        self.longest = int(self._network.max_seq_length or _NO_LIMIT)
        """Tokens after which the model cuts a text off."""
        self.id = ModelId(
            provider="local",
            name=stable_name(wanted.name),
            dimensions=_dimensions(self._network, wanted.name),
            document_mode=_prompt(self._network, Purpose.DOCUMENT)[0],
        )

    @property
    def on_cpu(self) -> bool:
        """Whether it computes on the CPU."""
        return self.device == "cpu"

    def release(self) -> None:
        """Say that a user is done with it; after the last one its memory is free."""
        with _models_lock:
            _users[self.wanted] -= 1
            if _users[self.wanted] == 0:
                del _users[self.wanted], _models[self.wanted]

    def compute(self, texts: list[str], purpose: Purpose) -> tuple[NDArray[np.float32], int]:
        """Unit vectors of one batch, shape (texts, dimensions), and the number of tokens.

        Halves a batch that the device's memory cannot hold.

        Raises:
            RetriableError: not even one text fits; somebody else may be using the GPU.
            FatalError: the model fails.
        """
        try:
            return self._forward(texts, purpose)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise FatalError(
                    f"the model {self.id.name} fails on {self.device}: {type(error).__name__}"
                ) from error
            if len(texts) == 1:
                raise RetriableError(
                    f"the memory of {self.device} does not hold one text of {self.id.name}"
                ) from error
        middle = len(texts) // 2
        first, first_tokens = self.compute(texts[:middle], purpose)
        second, second_tokens = self.compute(texts[middle:], purpose)
        return np.concatenate([first, second]), first_tokens + second_tokens

    # Tokenizers are not thread-safe either: they keep padding and truncation as state.
    def _forward(self, texts: list[str], purpose: Purpose) -> tuple[NDArray[np.float32], int]:
        """What ``encode`` does for one of its batches, with the tokens counted."""
        _, prompt = _prompt(self._network, purpose)
        with self._lock, torch.inference_mode():
            return self._unit_vectors(texts, prompt, purpose)

    def _unit_vectors(
        self, texts: list[str], prompt: str, purpose: Purpose
    ) -> tuple[NDArray[np.float32], int]:
        features = self._network.preprocess(texts, prompt=prompt or None, task=purpose.value)
        tokens = _tokens(features)
        on_device = {
            name: value.to(self._network.device) if isinstance(value, torch.Tensor) else value
            for name, value in features.items()
        }
        vectors = self._network(on_device, task=purpose.value)["sentence_embedding"].float()
        unit = torch.nn.functional.normalize(vectors, p=2, dim=1)
        return unit.cpu().numpy(), tokens


_models: dict[_Wanted, LocalModel] = {}
_users: dict[_Wanted, int] = {}
_models_lock = threading.Lock()


def acquire(name: str, device: str) -> LocalModel:
    """The process's model of this name and device; loads it for the first user.

    Raises:
        FatalError: there is no such model, or no such device.
    """
    wanted = _Wanted(name, _resolved(device))
    with _models_lock:
        if wanted not in _models:
            _models[wanted] = LocalModel(wanted, _load(wanted))
        _users[wanted] = _users.get(wanted, 0) + 1
        return _models[wanted]


def _resolved(device: str) -> str:
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load(wanted: _Wanted) -> SentenceTransformer:
    transformers_logging.disable_progress_bar()
    path = path_of(wanted.name)
    half = {"dtype": torch.float16} if wanted.device.startswith("cuda") else {}
    try:
        network = SentenceTransformer(
            path, device=wanted.device, model_kwargs=half, local_files_only=Path(path).is_dir()
        )
    except (OSError, ValueError, RuntimeError, AssertionError) as error:
        raise FatalError(
            f"cannot load the model {wanted.name!r} on {wanted.device}: embedder.model is the "
            f"folder or Hugging Face name of a sentence-transformers model ({error})"
        ) from error
    return network.eval()


def _dimensions(network: SentenceTransformer, name: str) -> int:
    dimensions = network.get_embedding_dimension()
    if dimensions is None:
        raise FatalError(f"the model {name!r} does not say how many dimensions it makes")
    return int(dimensions)


def _prompt(network: SentenceTransformer, purpose: Purpose) -> tuple[str, str]:
    """Name and text of the prompt for a purpose; both empty if the model has none."""
    prompts: dict[str, str | None] = network.prompts
    for name in (*_PROMPTS[purpose], network.default_prompt_name):
        if name and prompts.get(name):
            return name, str(prompts[name])
    return "", ""


def _is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a class for it; Apple's GPU says it in words."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()


def _tokens(features: dict[str, Any]) -> int:
    """Tokens without padding."""
    if "attention_mask" in features:
        return int(features["attention_mask"].sum())
    return int(features["input_ids"].numel()) if "input_ids" in features else 0
