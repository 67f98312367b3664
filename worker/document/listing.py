r"""Comma lists of the connector JSON, in which a backslash makes the next character plain."""

from __future__ import annotations

import re

from worker.errors import ConfigError
from worker.immutable import immutable

_TOKEN = re.compile(r"\\(.)|([^\\])", re.DOTALL)
_ESCAPE = 0xF0000
"""Escaped characters are held in a private plane of Unicode until they are read."""


@immutable
class Item:
    """One entry of a list and where it stands, for error messages."""

    key: str
    place: int
    """1 for the first."""
    shielded: str
    """Its text, trimmed, in which escaped characters cannot be mistaken for separators."""

    def error(self, message: str) -> ConfigError:
        """An error that says where it is."""
        return ConfigError(f"{self.key}, item {self.place} ({plain(self.shielded)!r}): {message}")


def items_of(key: str, text: str) -> list[Item]:
    """Cut a comma list.

    Raises:
        ConfigError: an empty item, or a backslash with nothing after it.
    """
    parts = _shield(key, text).split(",")
    items = [Item(key, place, part.strip()) for place, part in enumerate(parts, start=1)]
    for item in items:
        if not item.shielded:
            raise ConfigError(f"{key}, item {item.place}: is empty; is there a comma too many?")
    return items


def plain(shielded: str) -> str:
    """The text that was meant, without the escapes."""
    return "".join(chr(ord(c) - _ESCAPE) if ord(c) >= _ESCAPE else c for c in shielded)


def _shield(key: str, text: str) -> str:
    end = len(text) - len(text.rstrip("\\"))
    if end % 2:
        raise ConfigError(f"{key}: ends in a single backslash; write \\\\ for a backslash")
    return _TOKEN.sub(_hold, text)


def _hold(match: re.Match[str]) -> str:
    escaped = match.group(1)
    if escaped is None or ord(escaped) >= 0x10000:  # noqa: PLR2004 - no separator lies there
        return escaped or match.group(2)
    return chr(ord(escaped) + _ESCAPE)
