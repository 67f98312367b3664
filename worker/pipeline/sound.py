"""Whether an answer is what was asked for: a vector of the right length for each text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from worker.errors import BrokenAnswerError, UnfitAnswerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from worker.embed.port import Embeddings
    from worker.model import ModelId


def expect_sound(answer: Embeddings, texts: int, model: ModelId) -> None:
    """The vector of a single text may be unusable: that can be the text's fault.

    Raises:
        BrokenAnswerError: another number of vectors than of texts, or none of several is usable.
        UnfitAnswerError: vectors of another length.
    """
    rows, dimensions = answer.vectors.shape
    if rows != texts:
        raise BrokenAnswerError(f"{model.provider} answers {texts} texts with {rows} vectors")
    if dimensions != model.dimensions:
        raise UnfitAnswerError(
            f"{model.provider} makes vectors of {dimensions} dimensions, not of "
            f"{model.dimensions}: set embedder.dimensions to what {model.name} makes"
        )
    if texts > 1:
        expect_some_usable(answer, model)


def expect_some_usable(answer: Embeddings, model: ModelId) -> None:
    """Texts that were refused do not count.

    Raises:
        BrokenAnswerError: no vector of the others is usable.
    """
    if answer.refused or usable(answer.vectors[:1])[0]:  # the first tells, nearly always
        return
    if not usable(answer.vectors).any():
        raise BrokenAnswerError(f"{model.provider} answers with vectors that cannot be used")


def usable(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows are finite and not zero."""
    lengths = np.einsum("ij,ij->i", vectors, vectors)
    good: NDArray[np.bool_] = np.isfinite(lengths) & (lengths > 0)
    return good
