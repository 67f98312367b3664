"""Connector configs in a compacted topic, the same for all pods; in a topic in memory, for trials.

A key is ``connector/<name>``, and its value ``{"config": {…}}`` as it was written.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from worker.homes.port import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.state.port import StateTopic, Value

_PREFIX = "connector/"
_READ_S = 10.0


class TopicHome:
    """``label`` is what messages call the topic.

    ``is_file`` tells whether another pod that lives has a file with a connector's name: files come
    first, and pods get them one after the other.
    """

    def __init__(
        self, topic: StateTopic, label: str, is_file: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._topic = topic
        self._label = label
        self._is_file = is_file
        self._lock = threading.Lock()
        self._configs: dict[str, Stored] = {}
        self._stored: Mapping[str, Stored] = MappingProxyType({})
        topic.attach(_PREFIX, self._take)

    def look(self) -> None:
        """The topic tells by itself; what the other pods have is asked."""
        with self._lock:
            configs = {
                name: replace(stored, is_outdated=self._is_file(name))
                for name, stored in self._configs.items()
            }
            if configs != self._configs:
                self._configs = configs
                self._stored = MappingProxyType(dict(configs))

    def stored(self) -> Mapping[str, Stored]:
        """As far as the topic was read."""
        return self._stored

    def put(self, name: str, values: Mapping[str, str]) -> None:
        """Write, and wait until it is read back here."""
        self._say(name, {"config": dict(values)})

    def remove(self, name: str) -> None:
        """Write a tombstone."""
        if name in self._stored:
            self._say(name, None)

    def _say(self, name: str, value: Value | None) -> None:
        offset = self._topic.append(_PREFIX + name, value)
        self._topic.read_up_to(offset, _READ_S)

    def _take(self, _offset: int, key: str, value: Value | None) -> None:
        name = key.removeprefix(_PREFIX)
        config = value.get("config") if value is not None else None
        with self._lock:
            if isinstance(config, dict):
                values = {str(one): str(text) for one, text in config.items()}
                before = self._configs.get(name)
                is_outdated = before is not None and before.is_outdated
                self._configs[name] = Stored(values, self._label, is_outdated=is_outdated)
            else:
                self._configs.pop(name, None)
            self._stored = MappingProxyType(dict(self._configs))
