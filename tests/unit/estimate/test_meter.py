"""How many tokens a text is expected to have where nobody can count them."""

from __future__ import annotations

from worker.estimate.meter import ByteMeter

ENGLISH = "Lightweight winter jacket with a waterproof zipper and four pockets; in five colours."
JAPANESE = "軽量の防水ジャケット"


def expected(text: str) -> int:
    (tokens,) = ByteMeter(3.0, None)([text])
    assert tokens.low < tokens.expected < tokens.high
    return tokens.expected


def test_english_is_expected_to_have_a_token_for_four_to_five_bytes() -> None:
    assert len(ENGLISH) / 5 < expected(ENGLISH) < len(ENGLISH) / 4


def test_other_letters_have_shorter_tokens_beside_latin_ones_too() -> None:
    assert expected(JAPANESE) == len(JAPANESE)  # of three bytes each
    assert abs(expected(ENGLISH + JAPANESE) - expected(ENGLISH) - expected(JAPANESE)) <= 1


def test_nothing_is_expected_beyond_what_the_model_takes_of_a_text() -> None:
    assert ByteMeter(3.0, 10)([ENGLISH]) == [(10, 10, 10)]
