"""Vectors from a hash, so that a test can compute which one a text must have."""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SEED = np.dtype("<i2")
_SEED_BYTES = 64
_SEED_NUMBERS = _SEED_BYTES // _SEED.itemsize
_NO_ZERO = np.float32(0.5)


def vectors_of(
    texts: Sequence[str], *, model: str, length: int, input_type: str
) -> NDArray[np.float32]:
    """Unit vectors, shape (texts, length); equal arguments give equal bits.

    A text has another vector for another model, length or input type.
    """
    salt = blake2b(f"{model}\0{length}\0{input_type}".encode(), digest_size=16).digest()
    digests = b"".join(
        blake2b(text.encode(), digest_size=_SEED_BYTES, key=salt).digest() for text in texts
    )
    seeds = np.frombuffer(digests, _SEED).reshape(len(texts), _SEED_NUMBERS).astype(np.float32)
    seeds += _NO_ZERO
    repeats = -(-length // _SEED_NUMBERS)
    vectors: NDArray[np.float32] = np.tile(seeds, (1, repeats))[:, :length]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def packed(vectors: NDArray[np.float32]) -> list[bytes]:
    """Each row as JSON text: base64 of little-endian floats, in quotes."""
    rows = np.ascontiguousarray(vectors, dtype="<f4")
    return [b'"' + b64encode(row.data) + b'"' for row in rows]
