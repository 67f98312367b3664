"""A folder that each pod has for itself, such as a mounted ConfigMap, during a roll-out.

Pods then hold two generations of a file, and only the newest may run, as one group must not work
with two configs. Which is the newest nobody's clock decides:

- a content that was never seen before is newer than all that were;
- who had the newest one and sees its file change has the newest again, whatever it says, so that
  a change can be taken back;
- if no pod that lives has the newest one any more, whoever is there goes on with what it has.

A key is ``file/<connector>``, and its value ``{"digest": …, "before": […]}``.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.homes.port import digest_of
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock
    from worker.homes.pods import Pods
    from worker.homes.port import Home, Stored
    from worker.state.port import StateTopic, Value

_log = logging.getLogger(__name__)

_PREFIX = "file/"
_REMEMBERED = 50
"""Former contents of a file."""
_READ_S = 10.0


@immutable
class _Generation:
    digest: str
    before: tuple[str, ...]


class NewestOfFolder:
    """A folder's files, those marked as outdated of which other pods have a newer generation."""

    def __init__(self, folder: Home, topic: StateTopic, pods: Pods, clock: Clock) -> None:
        self._folder = folder
        self._topic = topic
        self._pods = pods
        self._clock = clock
        self._claim_again_s = -math.inf
        self._lock = threading.Lock()
        self._newest: dict[str, _Generation] = {}
        self._mine: dict[str, str] = {}
        """Digests of what this pod ran last: it had the newest one."""
        self._files: Mapping[str, Stored] = {}
        self._digests: Mapping[str, str] = {}
        self._stored: Mapping[str, Stored] = MappingProxyType({})
        topic.attach(_PREFIX, self._take)

    def look(self) -> None:
        """Look at the folder, and compare it with what the others have."""
        self._folder.look()
        files = self._folder.stored()
        if files is not self._files:
            self._files = files
            self._digests = {name: digest_of(stored.values) for name, stored in files.items()}
        digests = self._digests
        self._pods.say(digests)
        if not self._topic.caught_up(0.0):
            return
        judged = {
            name: replace(stored, is_outdated=not self._may_run(name, digests[name]))
            for name, stored in files.items()
        }
        if judged != self._stored:
            self._stored = MappingProxyType(judged)

    def stored(self) -> Mapping[str, Stored]:
        """Those of the folder; nothing before it is known what the others have."""
        return self._stored

    def _may_run(self, name: str, digest: str) -> bool:
        with self._lock:
            newest = self._newest.get(name)
        may_run = newest is not None and newest.digest == digest
        if newest is None or (not may_run and self._is_newer(name, digest, newest)):
            may_run = self._claim(name, digest, newest)
        if may_run:
            self._mine[name] = digest
        elif self._mine.get(name) == digest or name not in self._mine:
            _log.info("Other workers have a newer file of connector %s, so it waits here.", name)
            self._mine[name] = ""
        return may_run

    def _is_newer(self, name: str, digest: str, newest: _Generation) -> bool:
        if self._mine.get(name) == newest.digest or digest not in newest.before:
            return True
        return not self._pods.holds(name, newest.digest)

    def _claim(self, name: str, digest: str, newest: _Generation | None) -> bool:
        """Say that ours is the newest; whoever says so last is right."""
        if self._clock.now_s() < self._claim_again_s:
            return False
        before = () if newest is None else (newest.digest, *newest.before)
        value = {"digest": digest, "before": list(dict.fromkeys(before))[:_REMEMBERED]}
        try:
            self._topic.read_up_to(self._topic.append(_PREFIX + name, value), _READ_S)
        except WorkerError as error:
            _log.warning("Connector %s waits: %s", name, error)
            self._claim_again_s = self._clock.now_s() + _READ_S
            return False
        with self._lock:
            return self._newest[name].digest == digest

    def _take(self, _offset: int, key: str, value: Value | None) -> None:
        name = key.removeprefix(_PREFIX)
        with self._lock:
            if value is None:
                self._newest.pop(name, None)
            else:
                before = tuple(str(one) for one in value.get("before", ()))
                self._newest[name] = _Generation(str(value.get("digest")), before)
