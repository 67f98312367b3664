"""Warnings about topics and columns, each of them said once."""

from __future__ import annotations

import logging

_LOG = logging.getLogger(__name__)


class SaidOnce:
    """What was said already."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str, str]] = set()

    def say(self, source: str, name: str, what: str) -> None:
        """Warn of a name in a topic or namespace."""
        warning = (source, name, what)
        if warning in self._said:
            return
        self._said.add(warning)
        _LOG.warning("%s: %r is %s (said once)", source, name, what)
