"""Patterns of names: ``store.namespace`` and ``store.id`` with ``${topic}`` and the like in them.

``${topic}``, ``${db}``, ``${schema}``, ``${table}`` are filled in per record, ``${key}`` (in
``store.id`` only) is the row's key, and ``$$`` is a dollar sign.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from worker.errors import ConfigError, RecordError, Stage
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.document.place import Place

NAMESPACE_KEY = "store.namespace"
ID_KEY = "store.id"
ROW_KEY = "key"
_PLACE_NAMES = ("topic", "db", "schema", "table")
_TOKEN = re.compile(r"\$\$|\$\{([^}]*)\}|\$|[^$]+")


class Part(NamedTuple):
    """A piece of a pattern: literal text, then a variable (none in the last piece)."""

    literal: str
    variable: str | None


@immutable
class Pattern:
    """A pattern, read and checked."""

    key: str
    """The configuration key it came from."""
    source: str
    parts: tuple[Part, ...]

    @property
    def variables(self) -> frozenset[str]:
        """Names of what is filled in."""
        return frozenset(part.variable for part in self.parts if part.variable)

    def fill(self, place: Place) -> str:
        """The text for a place; only for patterns without ``${key}``.

        Raises:
            RecordError: see ``value_at``.
        """
        return "".join(
            part.literal + (self.value_at(place, part.variable) if part.variable else "")
            for part in self.parts
        )

    def value_at(self, place: Place, variable: str) -> str:
        """One variable of a place.

        Raises:
            RecordError: nobody can say it (``UnknownTable``), as for a tombstone in a topic of
                which no other record was seen.
        """
        value: str | None = getattr(place, variable)
        if value is not None:
            return value
        raise RecordError(
            f"{self.key} uses ${{{variable}}}, which this record of {place.topic} does not tell "
            "(a tombstone has no source; flattened rows need add.fields=db,schema,table) "
            "and no record before it told; use ${topic} instead",
            stage=Stage.DOCUMENT,
            kind="UnknownTable",
        )


def parse_namespace(source: str) -> Pattern:
    """Read ``store.namespace``.

    Raises:
        ConfigError: with the place and the nearest valid name.
    """
    return _parsed(NAMESPACE_KEY, source, _PLACE_NAMES)


def parse_id(source: str) -> Pattern:
    """Read ``store.id``; what it makes must tell any two rows apart.

    Raises:
        ConfigError: no or several ``${key}``, nothing between two variables, a ``#``.
    """
    pattern = _parsed(ID_KEY, source, (*_PLACE_NAMES, ROW_KEY))
    if sum(part.variable == ROW_KEY for part in pattern.parts) != 1:
        raise ConfigError(f"{ID_KEY}: needs ${{key}} exactly once, else all rows share one point")
    if any("#" in part.literal or "%" in part.literal for part in pattern.parts):
        raise ConfigError(f"{ID_KEY}: '#' marks chunks and '%' escapes; use another character")
    _check_separators(pattern)
    return pattern


def _check_separators(pattern: Pattern) -> None:
    for before, after in pairwise(pattern.parts):
        if after.variable and not separators(after.literal):
            raise ConfigError(
                f"{ID_KEY}: needs a separator such as ':' between ${{{before.variable}}} "
                f"and ${{{after.variable}}}, else two rows could get the same id"
            )
        if before.variable == ROW_KEY and after.variable and "_" in after.literal:
            raise ConfigError(
                f"{ID_KEY}: '_' joins the columns of a key; put another separator, such as ':', "
                f"between ${{key}} and ${{{after.variable}}}"
            )


def separators(literal: str) -> str:
    """The characters of a literal that can end the variable before it."""
    return "".join(sorted({c for c in literal if not c.isalnum()}))


def _parsed(key: str, source: str, names: tuple[str, ...]) -> Pattern:
    if not source.strip():
        raise ConfigError(f"{key}: is empty; leave the key out to get its default")
    if not source.isascii() or not source.isprintable():
        raise ConfigError(f"{key}: may hold printable ASCII only, as stores take nothing else")
    parts: list[Part] = []
    literal = ""
    for token in _TOKEN.finditer(source):
        name = token.group(1)
        if name is None:
            literal += _literal(key, source, token)
            continue
        _check_name(key, name, names, token.start())
        parts.append(Part(literal, name))
        literal = ""
    return Pattern(key, source, (*parts, Part(literal, None)))


def _literal(key: str, source: str, token: re.Match[str]) -> str:
    text = token.group()
    if text != "$":
        return "$" if text == "$$" else text
    unfinished = source.startswith("${", token.start())
    hint = "is never closed with '}'" if unfinished else "stands alone; write $$ for a dollar sign"
    raise ConfigError(f"{key}: the $ at character {token.start() + 1} {hint}")


def _check_name(key: str, name: str, names: tuple[str, ...], at: int) -> None:
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean ${{{near[0]}}}? " if near else ""
    known = ", ".join(f"${{{each}}}" for each in names)
    raise ConfigError(
        f"{key}: ${{{name}}} at character {at + 1} is not known; {hint}known are {known}"
    )
