"""What makes a stored vector reusable: a hash over everything that went into it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.document.chunking import Chunking
    from worker.model import ModelId

_BYTES = 16
_CHARACTERS = 22
_CUT = b"chunks"
_RECIPE = b"1"
"""Changes when something else goes in; old vectors are then made again."""


def digest(data: bytes) -> str:
    """128 bits of BLAKE2b as 22 characters, safe in URLs and ids."""
    return _written(blake2b(data, digest_size=_BYTES))


class Fingerprints:
    """Fingerprints of texts for one model, and for one way of cutting them, if they are cut."""

    def __init__(self, model: ModelId, chunking: Chunking | None = None) -> None:
        name = str(model).encode()
        # The length keeps the end of the name and the beginning of the text apart.
        begun = b"%s:%d:%s" % (_RECIPE, len(name), name)
        if chunking is not None:
            begun = b"%s:%s:%s" % (_CUT, chunking.identity.encode(), begun)
        self._begun = blake2b(begun, digest_size=_BYTES)

    def of(self, text: str) -> str:
        """Equal exactly when the vectors of the text would be the same."""
        hashed = self._begun.copy()
        hashed.update(text.encode())
        return _written(hashed)


def _written(hashed: blake2b) -> str:
    return urlsafe_b64encode(hashed.digest())[:_CHARACTERS].decode()
