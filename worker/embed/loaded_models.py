"""The sentence-transformers models that this process has loaded: one per name and device."""

from __future__ import annotations

import threading
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from worker.embed.local_model import LocalModel, Wanted
from worker.embed.model_files import path_of
from worker.errors import FatalError
from worker.heap import keep_blocks

_LARGE_BYTES = 32 * 1024 * 1024
_KEPT_BYTES = 64 * 1024 * 1024
"""Of the heap: what one operation hands to the next, on the CPU several MiB for each batch."""

_models: dict[Wanted, LocalModel] = {}
_users: dict[Wanted, int] = {}
_models_lock = threading.Lock()


def acquire(name: str, device: str) -> LocalModel:
    """The process's model of this name and device; loads it for the first user.

    Raises:
        FatalError: there is no such model, or no such device.
    """
    wanted = Wanted(name, _resolved(device))
    if wanted.device == "cpu":
        keep_blocks(_LARGE_BYTES, _KEPT_BYTES)
    with _models_lock:
        if wanted not in _models:
            _models[wanted] = LocalModel(wanted, _load(wanted))
        _users[wanted] = _users.get(wanted, 0) + 1
        return _models[wanted]


def release(model: LocalModel) -> None:
    """Say that a user is done with it; after the last one its memory is free."""
    wanted = model.wanted
    with _models_lock:
        _users[wanted] -= 1
        if _users[wanted] == 0:
            del _users[wanted], _models[wanted]
            model.close()


def _resolved(device: str) -> str:
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load(wanted: Wanted) -> SentenceTransformer:
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
