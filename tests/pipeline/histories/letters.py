"""Texts cut into very small chunks, so that short histories have rows of several points."""

from __future__ import annotations

import re

_PIECES = re.compile(r"poison|\S")


class Letters:
    """Stands for ``Chunking``: each letter is a chunk, but for a word that is refused."""

    identity = "letters"

    def split(self, text: str) -> tuple[str, ...]:
        return tuple(_PIECES.findall(text))
