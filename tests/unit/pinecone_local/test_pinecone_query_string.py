"""Query strings: which texts they find, how they weigh, what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.pinecone_local.query_string import compile_query
from worker.pinecone_local.wire import Refusal

TEXTS = {
    "title": {"1": "sparse index", "2": "hybrid draft", "3": "entropy", "4": "dense"},
    "body": {"1": "state of the art", "2": "the sparse one", "3": "art of war", "4": "other"},
}


def found(query: str) -> set[str]:
    return set(compile_query(query, TEXTS)(TEXTS))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sparse", {"1", "2"}),
        ("title:sparse", {"1"}),
        ("TITLE", set()),
        ("sparse entropy", {"1", "2", "3"}),
        ("sparse OR entropy", {"1", "2", "3"}),
        ("sparse AND hybrid", {"2"}),
        ("title:sparse AND body:art", {"1"}),
        ("entropy OR sparse AND hybrid", {"2", "3"}),
        ("title:(sparse OR hybrid) NOT draft", {"1"}),
        ("sparse -hybrid", {"1"}),
        ("sparse AND NOT hybrid", {"1"}),
        ("+art sparse", {"1", "3"}),
        ('"of the"', {"1"}),
        ('body:"art of"', {"3"}),
        ("state-of-the-art", {"1"}),
        ("NOT sparse", set()),
        ("title:(sparse AND (index OR dense))", {"1"}),
    ],
)
def test_query_finds(query: str, expected: set[str]) -> None:
    assert found(query) == expected


def test_scores_of_matching_clauses_add_up_and_a_boost_multiplies() -> None:
    def score(query: str) -> float:
        return compile_query(query, TEXTS)(TEXTS)["1"]

    both = score("title:sparse body:art")
    assert both == pytest.approx(score("title:sparse") + score("body:art"))
    assert score("title:sparse^5") == pytest.approx(5 * score("title:sparse"))
    assert score("title:(sparse)^0.5") == pytest.approx(score("title:sparse") / 2)


@pytest.mark.parametrize(
    "query",
    [
        *("", "AND", "a AND", "(a", "a)", "unknown:a", "title:", "title:body:a", "a^x", '"a'),
        *("a*", "+", "(" * 60 + "a" + ")" * 60),
    ],
    ids=lambda query: query[:15],
)
def test_what_is_not_in_the_language_is_refused(query: str) -> None:
    with pytest.raises(Refusal):
        compile_query(query, TEXTS)


@given(st.text(alphabet='ab ()"^:+-!&|ANDORT*~1', max_size=30))
def test_any_text_is_a_query_or_a_refusal(query: str) -> None:
    try:
        compile_query(query, TEXTS)(TEXTS)
    except Refusal:
        return
