"""Configs as they may be shown, and what was meant where one comes back.

References such as ``${env:KEY}`` are shown as they are written. A secret that stands in a config
itself is replaced by ``[hidden]``; whoever sends that back, or the asterisks that kafka-ui shows
instead, means the value that is there already.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.config.keys import LITERAL, SECTIONS
from worker.config.parse import keys_of, secret_keys_of
from worker.config.problem import HIDDEN
from worker.config.secrets import has_reference, without_url_secrets
from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from worker.config.read import Plugins
    from worker.config.section import Section

    Text = TypeVar("Text", str, str | None)

_SOUNDS_SECRET = re.compile(
    r"(^|[._-])(password|passwd|passphrase|secret|token|key|credentials?|pem"
    r"|jaas\.config|user\.info|certificate\.chain)$",
    re.IGNORECASE,
)
_URL = ".url"
"""Of such a key the login alone is secret."""
_ASTERISKS = re.compile(r"\*{3,}")


class Masking:
    """Knows which keys hold secrets: those of our settings, and others by their names."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def shown(self, config: Mapping[str, str]) -> dict[str, str]:
        """The config without its secrets."""
        hidden = self._hidden(config)
        return {key: _shown(key, value, hidden) for key, value in config.items()}

    def masked(self, config: Mapping[str, str]) -> list[str]:
        """The keys with a mask, whole or as a part of a URL, that stands for nothing."""
        hidden = self._hidden(config)
        return [
            key
            for key, value in config.items()
            if (HIDDEN in value and not key.startswith(LITERAL))
            or (key in hidden and _ASTERISKS.fullmatch(value))
        ]

    def restored(self, sent: Mapping[str, Text], stored: Mapping[str, str]) -> dict[str, Text]:
        """What was sent, with the stored value where only its mask came back."""
        shown = self.shown(stored)
        return {
            key: stored[key] if _is_mask(value, stored.get(key), shown.get(key)) else value
            for key, value in sent.items()
        }

    def _hidden(self, config: Mapping[str, str]) -> set[str]:
        sections = self._sections(config)
        secret = frozenset().union(*(secret_keys_of(one, prefix) for one, prefix in sections))
        known = {key for one, prefix in sections for key in keys_of(one, prefix)}
        return {key for key in config if key in secret or _is_secret(key, known)}

    def _sections(self, config: Mapping[str, str]) -> list[tuple[type[Section], str]]:
        """All that describe this config; a plug-in that cannot be loaded has none."""
        found = list(SECTIONS.values())
        chosen = (("embedder", self._plugins.embedders), ("store", self._plugins.stores))
        for kind, registry in chosen:
            try:
                found.append((registry.load(config.get(kind, "").strip()).Config, ""))
            except ConfigError:
                continue
        return found


def _is_secret(key: str, known: set[str]) -> bool:
    return key not in known and not key.startswith(LITERAL) and bool(_SOUNDS_SECRET.search(key))


def _shown(key: str, value: str, hidden: set[str]) -> str:
    if key.startswith(LITERAL) or not value:
        return value
    if key not in hidden or has_reference(value) or key.endswith(_URL):
        return without_url_secrets(value)
    return HIDDEN


def _is_mask(sent: str | None, stored: str | None, shown: str | None) -> bool:
    if sent is None or stored is None:
        return False
    return sent == shown or _ASTERISKS.fullmatch(sent) is not None
