"""Lucene query strings over text fields, as far as Pinecone's client documents them.

Words and phrases, ``field:(…)``, ``AND``, ``OR``, ``NOT``, ``+``, ``-``, parentheses and ``^N``;
what stands side by side is OR'd. Wildcards, ranges and fuzzy terms are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from worker.pinecone_local.text_search import bm25, has_phrase, words
from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    Texts: TypeAlias = Mapping[str, Mapping[str, str]]
    """Text by field and id."""
    Scorer: TypeAlias = Callable[[Texts], dict[str, float]]
    _Clause: TypeAlias = tuple[str, Scorer]
    """``+`` must match, ``-`` must not, nothing may."""

DEPTH_MAX = 50
_TOKEN = re.compile(
    r'"[^"]*"|\^\d+(?:\.\d+)?|[^\s()"^:+\-!][^\s()"^:]*:|[()+\-!]|[^\s()"^:]+|\S'  # last: stray
)
_AND, _OR, _NOT = {"AND", "&&"}, {"OR", "||"}, {"NOT", "!", "-"}
_UNSUPPORTED = re.compile(r"[*?~\[\]{}]")


def compile_query(text: str, fields: Collection[str]) -> Scorer:
    """Turn a query string into a function that scores every document that matches.

    Raises:
        Refusal: It is not in the language, or names a field that is not searched as text (400).
    """
    parser = _Parser(_TOKEN.findall(text), fields)
    scorer = parser.alternatives("")
    if parser.next:
        raise invalid(f"Invalid query string: unexpected '{parser.next}'")
    return scorer


class _Parser:
    """Recursive descent; ``field`` is the qualifier that is in force, empty for all fields."""

    def __init__(self, tokens: Sequence[str], fields: Collection[str]) -> None:
        self._tokens = list(reversed(tokens))
        self._fields = fields
        self._depth = 0

    @property
    def next(self) -> str:
        """The token to come; empty at the end."""
        return self._tokens[-1] if self._tokens else ""

    def alternatives(self, field: str) -> Scorer:
        clauses = [self._conjunction(field)]
        while self.next and self.next != ")":
            if self.next in _OR:
                self._tokens.pop()
            clauses.append(self._conjunction(field))
        return _any(clauses)

    def _conjunction(self, field: str) -> _Clause:
        clauses = [self._clause(field)]
        while self.next in _AND:
            self._tokens.pop()
            clauses.append(self._clause(field))
        if len(clauses) == 1:
            return clauses[0]
        return "", _any([(sign or "+", scorer) for sign, scorer in clauses])

    def _clause(self, field: str) -> _Clause:
        if self.next in _NOT:
            self._tokens.pop()
            return "-", self._boosted(field)
        if self.next == "+":
            self._tokens.pop()
            return "+", self._boosted(field)
        return "", self._boosted(field)

    def _boosted(self, field: str) -> Scorer:
        scorer = self._operand(field)
        if not self.next.startswith("^"):
            return scorer
        try:
            factor = float(self._tokens.pop()[1:])
        except ValueError as error:
            raise invalid("Invalid query string: '^' must be followed by a number") from error
        return lambda texts: {key: factor * score for key, score in scorer(texts).items()}

    def _operand(self, field: str) -> Scorer:
        symbol = self._tokens.pop() if self._tokens else ""
        if symbol.endswith(":"):
            return self._operand(self._searched(symbol[:-1]))
        if symbol == "(":
            return self._group(field)
        if not words(symbol) or symbol in _AND | _OR | _NOT:
            raise invalid(f"Invalid query string: expected a word, got '{symbol}'")
        if not symbol.startswith('"') and _UNSUPPORTED.search(symbol):
            raise invalid(f"This server has no wildcards, ranges or fuzzy terms, got '{symbol}'")
        return _term(symbol, [field] if field else sorted(self._fields))

    def _group(self, field: str) -> Scorer:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise invalid(f"Query string is nested more than {DEPTH_MAX} levels deep")
        scorer = self.alternatives(field)
        if self.next != ")":
            raise invalid("Invalid query string: ')' is missing")
        self._tokens.pop()
        self._depth -= 1
        return scorer

    def _searched(self, field: str) -> str:
        if field not in self._fields:
            raise invalid(f"Field '{field}' is not a full-text-search field of the schema")
        if self.next.endswith(":"):
            raise invalid("Invalid query string: a field name must be followed by a clause")
        return field


def _term(token: str, fields: Sequence[str]) -> Scorer:
    """Score one word, or several that have to stand in this order."""
    wanted = words(token)

    def score(texts: Texts) -> dict[str, float]:
        total: dict[str, float] = {}
        for field in fields:
            for key, value in bm25(texts[field], token).items():
                if has_phrase(words(texts[field][key]), wanted):
                    total[key] = total.get(key, 0.0) + value
        return total

    return score


def _any(clauses: Sequence[_Clause]) -> Scorer:
    """Sum over the clauses that match, if all do that must and none does that must not."""

    def score(texts: Texts) -> dict[str, float]:
        found = [(sign, scorer(texts)) for sign, scorer in clauses]
        total: dict[str, float] = {}
        for key in {key for sign, scores in found if sign != "-" for key in scores}:
            if all((key in scores) is (sign == "+") for sign, scores in found if sign):
                total[key] = sum(scores.get(key, 0.0) for sign, scores in found)
        return total

    return score
