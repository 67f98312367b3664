"""Which pods are there, and what each has in its folder: a sign of life every few seconds.

A key is ``pod/<worker id>``, and its value ``{"files": {<connector>: <digest>}}``. Times are those
at which the records arrive here, so no clocks have to agree.
"""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, NamedTuple

from worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock
    from worker.state.port import StateTopic, Value

_log = logging.getLogger(__name__)

_PREFIX = "pod/"
_SAY_EVERY_S = 5.0
_GONE_AFTER_S = 20.0


class _Sign(NamedTuple):
    heard_s: float
    files: Mapping[str, str]


class Pods:
    """One pod's view of all. ``say`` belongs to one thread, the rest to any."""

    def __init__(self, topic: StateTopic, worker_id: str, clock: Clock) -> None:
        self._topic = topic
        self._worker_id = worker_id
        self._clock = clock
        self._lock = threading.Lock()
        self._signs: dict[str, _Sign] = {}
        self._said: Mapping[str, str] | None = None
        self._said_s = -math.inf
        topic.attach(_PREFIX, self._take)

    def say(self, files: Mapping[str, str]) -> None:
        """We are here, with these files; written when it is time to, or when it is news."""
        now_s = self._clock.now_s()
        if files == self._said and now_s - self._said_s < _SAY_EVERY_S:
            return
        self._said, self._said_s = dict(files), now_s
        self._post({"files": self._said})

    def leave(self) -> None:
        """We are here no longer."""
        self._post(None)

    def is_live(self, worker_id: str) -> bool:
        """Whether a pod gave a sign lately; at the start what it said before counts as new."""
        with self._lock:
            return worker_id == self._worker_id or self._is_fresh(self._signs.get(worker_id))

    def holds(self, connector: str, digest: str) -> bool:
        """Whether any other pod that lives has the file with this content."""
        with self._lock:
            return any(
                worker_id != self._worker_id
                and sign.files.get(connector) == digest
                and self._is_fresh(sign)
                for worker_id, sign in self._signs.items()
            )

    def _is_fresh(self, sign: _Sign | None) -> bool:
        return sign is not None and self._clock.now_s() - sign.heard_s < _GONE_AFTER_S

    def _post(self, value: Value | None) -> None:
        try:
            self._topic.post(_PREFIX + self._worker_id, value)
        except WorkerError as error:
            _log.debug("No sign of life: %s", error)

    def _take(self, _offset: int, key: str, value: Value | None) -> None:
        worker_id = key.removeprefix(_PREFIX)
        files = value.get("files") if value is not None else None
        with self._lock:
            if isinstance(files, dict):
                self._signs[worker_id] = _Sign(self._clock.now_s(), files)
            else:
                self._signs.pop(worker_id, None)
