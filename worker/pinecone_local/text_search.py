"""BM25 over a text field of the documents of one namespace, counted anew for each search."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD = re.compile(r"\w+")
_K1 = 1.2
_B = 0.75


def words(text: str) -> list[str]:
    """The words of a text in lower case, without stemming or stop words."""
    return _WORD.findall(text.lower())


def bm25(texts: Mapping[str, str], query: str) -> dict[str, float]:
    """Score by id for every text that has at least one word of the query."""
    wanted = set(words(query))
    counts = {key: Counter(words(text)) for key, text in texts.items()}
    mean = sum(count.total() for count in counts.values()) / max(1, len(counts))
    scores: dict[str, float] = {}
    for word in wanted:
        having = [key for key, count in counts.items() if count[word]]
        rarity = math.log(1 + (len(counts) - len(having) + 0.5) / (len(having) + 0.5))
        for key in having:
            scores[key] = scores.get(key, 0.0) + rarity * _weight(counts[key], word, mean)
    return scores


def _weight(count: Counter[str], word: str, mean: float) -> float:
    length = count.total() / mean
    return count[word] * (_K1 + 1) / (count[word] + _K1 * (1 - _B + _B * length))
