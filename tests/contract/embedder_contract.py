"""What every embedder promises, whatever it is; an embedder's own test file brings the fixture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from worker.embed.port import Purpose

if TYPE_CHECKING:
    from worker.embed.port import Embedder

TEXTS = [
    "A wireless headphone with thirty hours of battery.",
    "x",
    "Über den Wolken muß die Freiheit wohl grenzenlos sein 🎧🇩🇪",
    "日本語のテキスト",
    "line one\nline two\ttabbed",
    "word " * 3_000,
    "A cast-iron pan for eggs, steaks and bread.",
]


class EmbedderContract:
    """Fixture ``embedder``: any model; its close is the fixture's."""

    def test_the_model_says_what_it_is(self, embedder: Embedder) -> None:
        model = embedder.model
        assert model.provider
        assert model.name
        assert "/" not in model.provider
        assert model.dimensions > 0
        assert model == embedder.model

    def test_limits_are_positive(self, embedder: Embedder) -> None:
        assert embedder.limits.texts > 0
        assert embedder.limits.in_flight > 0

    @pytest.mark.parametrize("purpose", list(Purpose))
    def test_each_text_gets_a_usable_unit_vector(
        self, embedder: Embedder, purpose: Purpose
    ) -> None:
        answer = embedder.embed(TEXTS, purpose)

        assert answer.vectors.shape == (len(TEXTS), embedder.model.dimensions)
        assert answer.vectors.dtype == np.float32
        assert answer.refused == {}
        np.testing.assert_allclose(np.linalg.norm(answer.vectors, axis=1), 1, atol=1e-3)

    def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        answer = embedder.embed([], Purpose.DOCUMENT)
        assert answer.vectors.shape == (0, embedder.model.dimensions)
        assert answer.refused == {}

    def test_one_text_gets_the_vector_that_it_gets_among_others(self, embedder: Embedder) -> None:
        together = embedder.embed(TEXTS, Purpose.DOCUMENT).vectors
        for index, text in enumerate(TEXTS):
            alone = embedder.embed([text], Purpose.DOCUMENT).vectors
            np.testing.assert_allclose(alone[0], together[index], atol=2e-3)

    def test_vectors_come_in_the_order_of_the_texts(self, embedder: Embedder) -> None:
        forth = embedder.embed(TEXTS, Purpose.DOCUMENT).vectors
        back = embedder.embed(TEXTS[::-1], Purpose.DOCUMENT).vectors
        np.testing.assert_allclose(forth, back[::-1], atol=2e-3)

    def test_different_texts_get_different_vectors(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS, Purpose.DOCUMENT).vectors
        likeness = vectors @ vectors.T - 2 * np.eye(len(TEXTS))
        assert likeness.max() < 0.99

    def test_equal_texts_get_equal_vectors(self, embedder: Embedder) -> None:
        vectors = embedder.embed([TEXTS[0]] * 3, Purpose.DOCUMENT).vectors
        np.testing.assert_allclose(vectors, vectors[[0, 0, 0]], atol=2e-3)

    def test_more_texts_than_one_call_takes_are_cut(self, embedder: Embedder) -> None:
        count = 2 * embedder.limits.texts + 1
        texts = [f"row {number}" for number in range(count)]
        answer = embedder.embed(texts, Purpose.DOCUMENT)
        assert answer.vectors.shape[0] == count
        last = embedder.embed(texts[-1:], Purpose.DOCUMENT).vectors[0]
        np.testing.assert_allclose(answer.vectors[-1], last, atol=2e-3)

    def test_threads_get_their_own_vectors(self, embedder: Embedder) -> None:
        expected = embedder.embed(TEXTS, Purpose.DOCUMENT).vectors

        def work(shift: int) -> np.ndarray:
            turned = TEXTS[shift:] + TEXTS[:shift]
            return np.roll(embedder.embed(turned, Purpose.DOCUMENT).vectors, shift, axis=0)

        with ThreadPoolExecutor(4) as pool:
            for vectors in pool.map(work, range(4)):
                np.testing.assert_allclose(vectors, expected, atol=2e-3)
