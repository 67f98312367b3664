"""Texts as a model's tokens: counted, cut where the model cuts, padded to batches.

Rust tokenizers work without Python's lock and in all calls at once, each text once. The library's
own way is for models whose tokens need more than that.
"""

from __future__ import annotations

import threading
from dataclasses import field
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from tokenizers import Tokenizer as Rust

from worker.embed.batching import estimated_tokens
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenizers import Encoding

_UNLIMITED = 1_000_000
"""Models without a limit say numbers like 10³⁰."""

_PROBES = (
    "A short text that every model can embed.",
    "x",
    "Über  den Wolken\n\t日本語 🎧 1,234.50 ﬁ \u00a0",
    "[SEP] </s> <|endoftext|> [MASK] <mask>",
)
_TENSORS = {"input_ids", "attention_mask"}
_TYPES = "token_type_ids"


class Tokens(Protocol):
    """The tokens of the texts of one call."""

    @property
    def counts(self) -> Sequence[int]:
        """Per text, about as many as the model computes of it."""
        ...

    @property
    def overlong(self) -> Mapping[int, int]:
        """By index, texts that are over the model's limit, and how many tokens they have."""
        ...

    def features(self, batch: Sequence[int]) -> dict[str, Any]:
        """What the network takes of these texts, padded to the longest, on the CPU."""
        ...


class Tokenizer(Protocol):
    """Makes tokens of texts; safe to call from several threads at once."""

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Count them; what a batch needs is made by ``Tokens.features``."""
        ...


def tokenizer_of(network: Any, prompt: str, task: str, longest: int) -> Tokenizer:  # noqa: ANN401 - a SentenceTransformer
    """The fastest one that makes what the library would make of texts with this prompt and task."""
    library = LibraryTokenizer(network, prompt, task, longest)
    if _rust_of(network) is None:
        return library
    probes = [*_PROBES, "word " * min(longest + 1, _UNLIMITED // 100)]
    expected = library(probes).features(range(len(probes)))
    if not _is_plain(expected):
        return library
    fast = FastTokenizer(_copied(network.tokenizer, longest), _layout(network, prompt, expected))
    return fast if _is_same(fast(probes).features(range(len(probes))), expected) else library


def json_of(network: Any) -> str | None:  # noqa: ANN401 - a SentenceTransformer
    """Its Rust tokenizer, for those who count elsewhere; None if it has none."""
    rust = _rust_of(network)
    return None if rust is None else rust.to_str()


def _rust_of(network: Any) -> Rust | None:  # noqa: ANN401 - a SentenceTransformer
    rust = getattr(getattr(network, "tokenizer", None), "backend_tokenizer", None)
    return rust if isinstance(rust, Rust) else None


@immutable
class Layout:
    """How a batch looks to a model."""

    prompt: str
    padding: int
    """The token that fills up."""
    is_left_padded: bool
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Features that are the same for every batch."""
    has_types: bool = False
    """Whether the model wants the tokens' types, which are all 0."""


class FastTokenizer:
    """A Rust tokenizer with settings of its own, which no call changes."""

    def __init__(self, rust: Rust, layout: Layout) -> None:
        self._rust = rust
        self._layout = layout
        self._special = rust.num_special_tokens_to_add(is_pair=False)

    def __call__(self, texts: Sequence[str]) -> FastTokens:
        """All texts at once; other threads run meanwhile."""
        prompt = self._layout.prompt
        encodings = self._rust.encode_batch_fast([prompt + text for text in texts])
        return FastTokens(encodings, self._layout, self._special)


class FastTokens:
    """See ``Tokens``; the counts are exact."""

    def __init__(self, encodings: Sequence[Encoding], layout: Layout, special: int) -> None:
        self._encodings = encodings
        self._layout = layout
        self.counts = [len(encoding) for encoding in encodings]
        self.overlong = {
            index: len(encoding) + sum(len(part) - special for part in encoding.overflowing)
            for index, encoding in enumerate(encodings)
            if encoding.overflowing
        }

    def features(self, batch: Sequence[int]) -> dict[str, Any]:
        """See ``Tokens``."""
        counts = np.array([self.counts[index] for index in batch])
        width = int(counts.max())
        is_token = np.arange(width) < counts[:, None]
        if self._layout.is_left_padded:
            is_token = np.ascontiguousarray(is_token[:, ::-1])
        ids = np.full(is_token.shape, self._layout.padding, dtype=np.int64)
        ids[is_token] = np.fromiter(
            chain.from_iterable(self._encodings[index].ids for index in batch), np.int64
        )
        return self._named(torch.from_numpy(ids), torch.from_numpy(is_token.astype(np.int64)))

    def _named(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[str, Any]:
        features = {**self._layout.constants, "input_ids": ids, "attention_mask": mask}
        if self._layout.has_types:
            features[_TYPES] = torch.zeros_like(ids)
        return features


class LibraryTokenizer:
    """The library's ``preprocess``, one batch at a time: it changes its tokenizer's settings."""

    def __init__(self, network: Any, prompt: str, task: str, longest: int) -> None:  # noqa: ANN401 - a SentenceTransformer
        self._network = network
        self._prompt = prompt
        self._task = task
        self._longest = longest
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> LibraryTokens:
        """Estimates, except for texts that may be over the limit."""
        return LibraryTokens(self, texts, self._longest)

    def features(self, texts: list[str]) -> dict[str, Any]:
        """What ``encode`` makes of one of its batches."""
        with self._lock:
            made: dict[str, Any] = self._network.preprocess(
                texts, prompt=self._prompt or None, task=self._task
            )
            return made

    def count(self, text: str) -> int:
        """All tokens of a text; 0 if the model has no tokenizer to ask."""
        ask: Any = getattr(self._network, "tokenizer", None)
        if not hasattr(ask, "model_max_length"):
            return 0
        with self._lock:
            return len(ask(self._prompt + text, truncation=False, verbose=False)["input_ids"])


class LibraryTokens:
    """See ``Tokens``."""

    def __init__(self, tokenizer: LibraryTokenizer, texts: Sequence[str], longest: int) -> None:
        self._tokenizer = tokenizer
        self._texts = texts
        self.counts = [estimated_tokens(text, longest) for text in texts]
        counted = {
            index: tokenizer.count(text)
            for index, text in enumerate(texts)
            if len(text.encode("utf-8", "replace")) >= longest // 2
        }
        self.overlong = {index: count for index, count in counted.items() if count > longest}

    def features(self, batch: Sequence[int]) -> dict[str, Any]:
        """See ``Tokens``."""
        return self._tokenizer.features([self._texts[index] for index in batch])


def _copied(library: Any, longest: int) -> Rust:  # noqa: ANN401 - a tokenizer of transformers
    """The Rust tokenizer inside, set once: cut at the limit, padded by us."""
    rust = Rust.from_str(library.backend_tokenizer.to_str())
    rust.encode_special_tokens = library.split_special_tokens
    rust.no_padding()
    rust.no_truncation()
    if longest < _UNLIMITED:
        rust.enable_truncation(longest, direction=library.truncation_side)
    return rust


def _layout(network: Any, prompt: str, expected: Mapping[str, Any]) -> Layout:  # noqa: ANN401 - a SentenceTransformer
    return Layout(
        prompt=prompt,
        padding=network.tokenizer.pad_token_id or 0,
        is_left_padded=network.tokenizer.padding_side == "left",
        constants={
            name: value for name, value in expected.items() if not isinstance(value, torch.Tensor)
        },
        has_types=_TYPES in expected,
    )


def _is_plain(features: Mapping[str, Any]) -> bool:
    """Whether nothing but ids and mask differs between batches."""
    tensors = {name for name, value in features.items() if isinstance(value, torch.Tensor)}
    if tensors - {_TYPES} != _TENSORS:
        return False
    return _TYPES not in tensors or not bool(features[_TYPES].any())


def _is_same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return ours.keys() == theirs.keys() and all(
        torch.equal(value, theirs[name])
        if isinstance(value, torch.Tensor)
        else value == theirs[name]
        for name, value in ours.items()
    )
