from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.embed.port import Limits
from worker.pipeline.cutting import Measure, Size, cut, shortened


def measure(texts: int = 96, tokens: int | None = None, **allowed: int | None) -> Measure:
    limits = Limits(texts=texts, in_flight=1, tokens=tokens, bytes_per_token=4)
    return Measure.of(limits, allowed.get("inputs"), allowed.get("per_minute"))


def test_calls_are_full_and_in_order() -> None:
    assert cut([Size(10)] * 7, measure(texts=3)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_call_holds_no_more_tokens_than_the_provider_takes() -> None:
    forty_tokens = Size(4 * 32)
    assert cut([forty_tokens] * 5, measure(tokens=100)) == [[0, 1], [2, 3], [4]]


def test_what_is_too_large_for_any_call_stands_alone() -> None:
    assert cut([Size(4), Size(4_000), Size(4)], measure(tokens=100)) == [[0], [1], [2]]


def test_no_call_is_larger_than_what_a_minute_lets_pass() -> None:
    assert cut([Size(10)] * 5, measure(inputs=2)) == [[0, 1], [2, 3], [4]]
    assert cut([Size(4 * 32)] * 3, measure(per_minute=80)) == [[0, 1], [2]]


def test_nothing_to_embed_is_no_call() -> None:
    assert cut([], measure()) == []


def test_a_text_never_has_more_tokens_than_bytes_and_what_models_add() -> None:
    assert Size.of("ä€🎧").most_tokens == 2 + 3 + 4 + 8
    assert Size.of("\ud800").bytes == 1


@given(
    st.lists(st.integers(min_value=0, max_value=2_000).map(Size), max_size=60),
    st.integers(min_value=1, max_value=20),
    st.integers(min_value=1, max_value=1_000),
)
def test_every_text_is_in_one_call_and_every_call_within_bounds(
    sizes: list[Size], texts: int, tokens: int
) -> None:
    bounds = measure(texts, tokens)
    calls = cut(sizes, bounds)
    assert [index for call in calls for index in call] == list(range(len(sizes)))
    for call in calls:
        assert len(call) <= texts
        assert len(call) == 1 or sum(bounds.tokens_of(sizes[index]) for index in call) <= tokens


def test_a_text_is_shortened_between_words() -> None:
    assert shortened("one two three", 9) == "one two"
    assert shortened("one two three", 7) == "one two"
    assert shortened("one two three", 100) == "one two three"


@given(st.text(max_size=300), st.integers(min_value=0, max_value=400))
def test_a_shortened_text_is_a_beginning_within_the_bound(text: str, most: int) -> None:
    head = shortened(text, most)
    assert len(head.encode("utf-8", "replace")) <= most
    assert text.encode("utf-8", "replace").decode().startswith(head)
