"""Batches of like length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.embed.batching import by_length, estimated_tokens


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 2_000))
def test_every_text_is_in_exactly_one_batch_and_no_batch_is_over_the_bound(
    tokens: list[int], bound: int
) -> None:
    batches = list(by_length(tokens, bound))
    assert sorted(index for batch in batches for index in batch) == list(range(len(tokens)))
    for batch in batches:
        padded = len(batch) * max(tokens[index] for index in batch)
        assert padded <= bound or len(batch) == 1


def test_texts_that_are_not_chosen_are_in_no_batch() -> None:
    assert list(by_length([3, 9, 4, 8], 12, [0, 2, 3])) == [[3], [2, 0]]


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 2_000))
def test_the_longest_come_first(tokens: list[int], bound: int) -> None:
    lengths = [tokens[index] for batch in by_length(tokens, bound) for index in batch]
    assert lengths == sorted(tokens, reverse=True)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 2), ("a word", 3), ("日本語日", 5), ("word " * 9_999, 256)]
)
def test_tokens_are_estimated_by_bytes_and_cut_like_the_model_does(text: str, tokens: int) -> None:
    assert estimated_tokens(text, 256) == tokens
