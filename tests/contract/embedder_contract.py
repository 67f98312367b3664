"""What every embedder promises, whatever it is; an embedder's own test file brings the fixture.

Cutting, waiting, retrying and the judgement of vectors are the caller's and not tested here.
"""

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
        assert embedder.limits.tokens is None or embedder.limits.tokens > 0
        assert embedder.limits.text_tokens is None or embedder.limits.text_tokens > 0
        assert embedder.limits.bytes_per_token > 0

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

    def test_a_full_call_gets_all_its_vectors(self, embedder: Embedder) -> None:
        texts = [f"row {number}" for number in range(embedder.limits.texts)]
        answer = embedder.embed(texts, Purpose.DOCUMENT)
        assert answer.vectors.shape == (len(texts), embedder.model.dimensions)
        last = embedder.embed(texts[-1:], Purpose.DOCUMENT).vectors[0]
        np.testing.assert_allclose(answer.vectors[-1], last, atol=2e-3)

    def test_the_caller_may_change_the_vectors(self, embedder: Embedder) -> None:
        first = embedder.embed(TEXTS[:2], Purpose.DOCUMENT).vectors
        before = first.copy()
        first[:] = 0
        again = embedder.embed(TEXTS[:2], Purpose.DOCUMENT).vectors
        np.testing.assert_allclose(again, before, atol=2e-3)

    def test_tokens_grow_with_the_texts_unless_they_are_not_counted(
        self, embedder: Embedder
    ) -> None:
        one = embedder.embed(TEXTS[:1], Purpose.DOCUMENT).tokens
        all_of_them = embedder.embed(TEXTS, Purpose.DOCUMENT).tokens
        assert one == all_of_them == 0 or 0 < one < all_of_them

    def test_the_terms_stay_the_same(self, embedder: Embedder) -> None:
        assert embedder.terms.account
        assert embedder.terms == embedder.terms

    def test_it_can_be_closed_twice_and_used_again(self, embedder: Embedder) -> None:
        before = embedder.embed(TEXTS[:1], Purpose.DOCUMENT).vectors
        embedder.close()
        embedder.close()
        again = embedder.embed(TEXTS[:1], Purpose.DOCUMENT).vectors
        np.testing.assert_allclose(again, before, atol=2e-3)

    def test_threads_get_their_own_vectors(self, embedder: Embedder) -> None:
        expected = embedder.embed(TEXTS, Purpose.DOCUMENT).vectors

        def work(shift: int) -> np.ndarray:
            turned = TEXTS[shift:] + TEXTS[:shift]
            return np.roll(embedder.embed(turned, Purpose.DOCUMENT).vectors, shift, axis=0)

        with ThreadPoolExecutor(4) as pool:
            for vectors in pool.map(work, range(4)):
                np.testing.assert_allclose(vectors, expected, atol=2e-3)
