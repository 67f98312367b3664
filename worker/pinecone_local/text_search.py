"""BM25 over a text field of the documents of one namespace, counted anew for each search."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEXT_BYTES_MAX = 100 * 1024
TEXT_WORDS_MAX = 10_000
_WORD = re.compile(r"\w+")
_K1 = 1.2
_B = 0.75


def check_text(field: str, value: object) -> None:
    """Refuse what no searchable field can hold: up to 100 KB and 10,000 words of text (400)."""
    if not isinstance(value, str):
        raise invalid(f"Field '{field}' is searched as text and must be a string")
    size = len(value.encode())
    if size > TEXT_BYTES_MAX:
        raise invalid(f"Field '{field}' has {size} bytes of text, at most {TEXT_BYTES_MAX} allowed")
    count = len(words(value))
    if count > TEXT_WORDS_MAX:
        raise invalid(f"Field '{field}' has {count} tokens, at most {TEXT_WORDS_MAX} allowed")


def words(text: str) -> list[str]:
    """The words of a text in lower case, without stemming or stop words."""
    return _WORD.findall(text.lower())


def has_phrase(having: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether words stand side by side, in order, among others."""
    size = len(wanted)
    return any(having[at : at + size] == wanted for at in range(len(having) - size + 1))


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
