"""Which topics a source reads: names, or patterns that match whole names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable


@immutable
class Subscription:
    """Entries as librdkafka takes them: a name, or a pattern that begins with ``^``."""

    entries: tuple[str, ...]

    @classmethod
    def matching(cls, regex: str) -> Subscription:
        """All topics whose whole name matches, as with Connect's ``topics.regex``.

        librdkafka looks for a POSIX extended expression anywhere in the name; with
        ``group.protocol=consumer`` the broker matches the whole name (KIP-848, RE2). Anchored on
        both sides and in brackets it means the same to both.
        """
        return cls((f"^({regex})$",))

    def select(self, topics: Iterable[str]) -> list[str]:
        """The topics that it covers, sorted."""
        return sorted(topic for topic in topics if self._covers(topic))

    def _covers(self, topic: str) -> bool:
        return any(
            re.search(entry, topic) is not None if entry.startswith("^") else entry == topic
            for entry in self.entries
        )
