"""Tokens are those of the library, however they are made."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.embed.tokens import Tokenizer

if not find_spec("sentence_transformers"):
    pytest.skip("sentence-transformers is not installed", allow_module_level=True)

LONGEST = 8
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "say", ":", "a", "b", "c", "word"]
TEXTS = ["a b c", "b", "word " * 20, "a unknown"]


def library(side: str = "right") -> Any:
    """A tokenizer of transformers over a handful of words."""
    from tokenizers import Tokenizer as Rust  # noqa: PLC0415 - optional extra
    from tokenizers.models import WordLevel  # noqa: PLC0415 - optional extra
    from tokenizers.pre_tokenizers import Whitespace  # noqa: PLC0415 - optional extra
    from tokenizers.processors import TemplateProcessing  # noqa: PLC0415 - optional extra
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - optional extra

    rust = Rust(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    rust.pre_tokenizer = Whitespace()
    rust.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=rust,
        pad_token="[PAD]",
        unk_token="[UNK]",
        padding_side=side,
        model_max_length=LONGEST,
    )


class Network:
    """As much of a SentenceTransformer as makes tokens."""

    def __init__(
        self, tokenizer: Any, change: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.tokenizer = tokenizer
        self.change = change or (lambda features: None)

    def preprocess(self, texts: list[str], prompt: str | None, task: str) -> dict[str, Any]:
        made = self.tokenizer(
            [(prompt or "") + text for text in texts],
            padding=True,
            truncation="longest_first",
            return_tensors="pt",
        )
        features = {**made, "modality": "text"}
        self.change(features)
        return features


def made(network: Network, prompt: str = "") -> Tokenizer:
    from worker.embed.tokens import tokenizer_of  # noqa: PLC0415 - optional extra

    return tokenizer_of(network, prompt, "document", LONGEST)


def kind(tokenizer: Tokenizer) -> str:
    return type(tokenizer).__name__


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("prompt", ["", "say: "])
def test_a_rust_tokenizer_makes_the_features_of_the_library(side: str, prompt: str) -> None:
    network = Network(library(side))
    tokens = made(network, prompt)
    ours = tokens(TEXTS).features([2, 0, 1])
    theirs = network.preprocess([TEXTS[2], TEXTS[0], TEXTS[1]], prompt, "document")
    assert kind(tokens) == "FastTokenizer"
    assert {name: _plain(value) for name, value in ours.items()} == {
        name: _plain(value) for name, value in theirs.items()
    }


def test_counts_are_exact_and_cut_where_the_model_cuts() -> None:
    tokens = made(Network(library()))(TEXTS)
    assert list(tokens.counts) == [5, 3, LONGEST, 4]


@pytest.mark.parametrize("prompt", ["", "say: "])
def test_all_tokens_of_a_text_over_the_limit_are_counted(prompt: str) -> None:
    tokens = made(Network(library()), prompt)(TEXTS)
    assert tokens.overlong == {2: 22 + (2 if prompt else 0)}


def test_a_text_that_just_fits_is_not_over_the_limit() -> None:
    assert made(Network(library()))(["a " * (LONGEST - 2)]).overlong == {}


def test_other_calls_of_the_library_change_nothing() -> None:
    network = Network(library())
    tokenizer = made(network)
    network.tokenizer(["a b"], padding="max_length", truncation=True, max_length=3)
    assert list(tokenizer(TEXTS).counts) == [5, 3, LONGEST, 4]


def _lower_ids(features: dict[str, Any]) -> None:
    features["input_ids"] = features["input_ids"] - 1


def _more_tensors(features: dict[str, Any]) -> None:
    features["position_ids"] = features["input_ids"]


@pytest.mark.parametrize("change", [_lower_ids, _more_tensors])
def test_a_model_that_changes_its_tokens_gets_those_of_the_library(
    change: Callable[[dict[str, Any]], None],
) -> None:
    network = Network(library(), change)
    tokenizer = made(network)
    assert kind(tokenizer) == "LibraryTokenizer"
    theirs = network.preprocess(TEXTS[:2], None, "document")
    ours = tokenizer(TEXTS).features([0, 1])
    assert _plain(ours["input_ids"]) == _plain(theirs["input_ids"])
    assert tokenizer(TEXTS).overlong == {2: 22}


def test_a_model_without_a_tokenizer_has_no_text_over_its_limit() -> None:
    tokenizer = made(Network(None))
    assert kind(tokenizer) == "LibraryTokenizer"
    assert tokenizer(TEXTS).overlong == {}


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
