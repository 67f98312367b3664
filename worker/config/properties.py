r"""Java ``.properties`` text: the format of Kafka's worker and client settings.

The rules are those of ``java.util.Properties.load``: ``=``, ``:`` or blanks end the key, ``#`` and
``!`` begin comments, a backslash at the end of a line joins the next one, ``\uXXXX`` is a UTF-16
unit. Line numbers count natural lines from 1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = " \t\f"
_LINE_END = re.compile(r"\r\n|\n|\r")
_ENTRY = re.compile(
    r"(?P<key>(?:\\.|[^\\=: \t\f])*)[ \t\f]*(?:[=:][ \t\f]*)?(?P<value>.*)", re.DOTALL
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse_properties(text: str) -> dict[str, str]:
    r"""Entries of a properties text; a key that is repeated keeps its last value, as in Java.

    Raises:
        ConfigError: a ``\u`` without four hexadecimal digits; the message names the line.
    """
    entries: dict[str, str] = {}
    for number, line in _logical_lines(text):
        found = _ENTRY.fullmatch(line)
        if found is None:  # pragma: no cover - the pattern matches every text
            raise ConfigError(f"line {number}: not a property")
        entries[_unescape(found["key"], number)] = _unescape(found["value"], number)
    return entries


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments and blank ones, continuations joined, with their first number."""
    lines = _LINE_END.split(text)
    index = 0
    while index < len(lines):
        number, line = index + 1, lines[index].lstrip(_BLANK)
        index += 1
        if not line or line[0] in "#!":
            continue
        while _continues(line):
            following = lines[index].lstrip(_BLANK) if index < len(lines) else ""
            line = line[:-1] + following
            index += 1
        yield number, line


def _continues(line: str) -> bool:
    """Whether the line ends in an odd number of backslashes."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unescape(text: str, number: int) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code == "u":
            raise ConfigError(f"line {number}: \\u needs four hexadecimal digits")
        return _CONTROLS.get(code, code)

    joined = _ESCAPE.sub(character, text)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
