"""The vectors of an answer: base64 of little-endian floats, or lists of numbers, to an array."""

from __future__ import annotations

from binascii import Error as BinasciiError
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pybase64 import b64decode_as_bytearray

from worker.errors import BrokenAnswerError, UnfitAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FLOAT = np.dtype("<f4")


def unpacked(
    rows: Sequence[object], *, texts: int, length: int, provider: str
) -> NDArray[np.float32]:
    """The rows as an array of shape (texts, length); whether the numbers are sound is not asked.

    Raises:
        BrokenAnswerError: another number of rows than of texts, or rows that cannot be read.
        UnfitAnswerError: vectors of another length.
    """
    if len(rows) != texts:
        raise BrokenAnswerError(f"{provider} answered {texts} texts with {len(rows)} vectors")
    if not rows:
        return np.empty((0, length), np.float32)
    try:
        found = _from_base64(rows) if isinstance(rows[0], str) else _from_numbers(rows)
    except (BinasciiError, ValueError, TypeError, OverflowError) as error:
        raise unreadable(provider) from error
    if found.shape[1] != length:
        raise UnfitAnswerError(
            f"{provider} makes vectors of {found.shape[1]} dimensions, {length} were expected: "
            f"set embedder.dimensions to what the model makes"
        )
    return found


def unreadable(provider: str) -> BrokenAnswerError:
    """The error for an answer that makes no sense."""
    return BrokenAnswerError(
        f"{provider} sent an answer that cannot be read; it may have been billed"
    )


def _from_base64(rows: Sequence[object]) -> NDArray[np.float32]:
    """All rows at once, as pybase64 lets go of the GIL in each call, and has to get it back.

    Python's own decoder keeps it, but takes 7 µs for 384 numbers and 20 for 1,024, this one less
    than 1. Where a row does not fill its last group of four characters, that group comes apart.
    """
    texts = cast("Sequence[str]", rows)
    characters = len(texts[0])
    if any(len(text) != characters for text in texts):
        raise ValueError("vectors of different lengths")
    rest = 4 if texts[0].endswith("=") else 0
    whole = _decoded("".join(text[: characters - rest] for text in texts), len(texts))
    if rest:
        whole = np.concatenate((whole, _ends([text[-rest:] for text in texts])), axis=1)
    return whole.view(_FLOAT).astype(np.float32, copy=False)


def _decoded(text: str, rows: int) -> NDArray[np.uint8]:
    data = np.frombuffer(b64decode_as_bytearray(text, validate=True), np.uint8)
    if data.size != len(text) // 4 * 3:
        raise ValueError("a vector ends early")
    return data.reshape(rows, -1)


def _ends(texts: Sequence[str]) -> NDArray[np.uint8]:
    ends = [a2b_base64(text, strict_mode=True) for text in texts]
    if len({len(end) for end in ends}) != 1:
        raise ValueError("vectors of different lengths")
    return np.frombuffer(b"".join(ends), np.uint8).reshape(len(ends), -1)


def _from_numbers(rows: Sequence[object]) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = np.array(cast("Sequence[Any]", rows), np.float32)
    if numbers.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise ValueError("no list of vectors")
    return numbers
