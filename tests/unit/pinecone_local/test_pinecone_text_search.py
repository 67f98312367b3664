"""Ranking of texts by words."""

from __future__ import annotations

from worker.pinecone_local.text_search import bm25, words

TEXTS = {
    "short": "red apple",
    "long": "red apple and many other words that make this text a long one",
    "twice": "apple apple pie",
    "none": "pear",
}


def test_words_are_lower_case_without_punctuation() -> None:
    assert words("Rome wasn't built -- in ONE day!") == [
        "rome",
        "wasn",
        "t",
        "built",
        "in",
        "one",
        "day",
    ]


def test_only_texts_with_a_word_of_the_query_score() -> None:
    assert set(bm25(TEXTS, "apple")) == {"short", "long", "twice"}
    assert bm25(TEXTS, "plum") == {}
    assert bm25({}, "apple") == {}


def test_more_occurrences_and_shorter_texts_score_higher() -> None:
    scores = bm25(TEXTS, "Apple")

    assert scores["twice"] > scores["short"] > scores["long"] > 0


def test_rare_words_weigh_more_than_common_ones() -> None:
    assert bm25(TEXTS, "pear")["none"] > bm25(TEXTS, "apple")["short"]


def test_repeating_a_word_of_the_query_changes_nothing() -> None:
    assert bm25(TEXTS, "apple apple") == bm25(TEXTS, "apple")
