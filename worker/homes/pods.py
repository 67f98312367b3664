"""Which pods are there, and what each has in its folder: a sign of life every few seconds.

A key is ``pod/<id>``, and its value ``{"files": {<connector>: <digest>}}``. A pod has another id
each time that it starts. Times are those at which the records arrive here, so no clocks have to
agree. Who does not hear itself, as after an outage of the brokers or of its own, does not hear the
others either, so it takes nobody for gone until it has listened for long enough.
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
_DEAF_AFTER_S = 10.0
_FORGOTTEN_AFTER_S = 600.0
"""A pod that was killed cannot take its sign back by itself."""


class _Sign(NamedTuple):
    heard_s: float
    files: Mapping[str, str]


class Pods:
    """One pod's view of all. ``say`` belongs to one thread, the rest to any."""

    def __init__(self, topic: StateTopic, pod: str, clock: Clock) -> None:
        self._topic = topic
        self._pod = pod
        self._clock = clock
        self._lock = threading.Lock()
        self._signs: dict[str, _Sign] = {}
        self._said: Mapping[str, str] | None = None
        self._said_s = -math.inf
        self._hears_since_s = math.inf
        topic.attach(_PREFIX, self._take)

    def say(self, files: Mapping[str, str]) -> None:
        """We are here, with these files; written when it is time to, or when it is news."""
        now_s = self._clock.now_s()
        if files == self._said and now_s - self._said_s < _SAY_EVERY_S:
            return
        self._said, self._said_s = dict(files), now_s
        self._post(self._pod, {"files": self._said})
        with self._lock:
            long_gone = [
                pod
                for pod, sign in self._signs.items()
                if now_s - sign.heard_s > _FORGOTTEN_AFTER_S
            ]
        for pod in long_gone:
            self._post(pod, None)

    def leave(self) -> None:
        """We are here no longer."""
        self._post(self._pod, None)

    def is_live(self, pod: str) -> bool:
        """Whether a pod gave a sign lately; at the start what it said before counts as new."""
        with self._lock:
            return pod == self._pod or self._is_fresh(self._signs.get(pod))

    def may_live(self, pod: str) -> bool:
        """The same with doubts: who did not hear itself for long takes nobody for gone."""
        with self._lock:
            sign = self._signs.get(pod)
            is_known = sign is not None and not self._hears_for_long
            return pod == self._pod or is_known or self._is_fresh(sign)

    def holds(self, connector: str, digest: str) -> bool:
        """Whether any other pod that lives has the file with this content, or may have it."""
        with self._lock:
            return not self._hears_for_long or any(
                pod != self._pod and sign.files.get(connector) == digest and self._is_fresh(sign)
                for pod, sign in self._signs.items()
            )

    def have(self, connector: str) -> bool:
        """Whether any other pod that lives has a file of this connector, as far as was heard."""
        with self._lock:
            return any(
                pod != self._pod and connector in sign.files and self._is_fresh(sign)
                for pod, sign in self._signs.items()
            )

    @property
    def _hears_itself(self) -> bool:
        own = self._signs.get(self._pod)
        return own is not None and self._clock.now_s() - own.heard_s < _DEAF_AFTER_S

    @property
    def _hears_for_long(self) -> bool:
        """Whether every pod that lives must have been heard of meanwhile."""
        return self._hears_itself and self._clock.now_s() - self._hears_since_s >= _GONE_AFTER_S

    def _is_fresh(self, sign: _Sign | None) -> bool:
        return sign is not None and self._clock.now_s() - sign.heard_s < _GONE_AFTER_S

    def _post(self, pod: str, value: Value | None) -> None:
        try:
            self._topic.post(_PREFIX + pod, value)
        except WorkerError as error:
            _log.debug("No sign of life: %s", error)

    def _take(self, _offset: int, key: str, value: Value | None) -> None:
        pod = key.removeprefix(_PREFIX)
        files = value.get("files") if value is not None else None
        with self._lock:
            if pod == self._pod and not self._hears_itself:
                self._hears_since_s = self._clock.now_s()
            if isinstance(files, dict):
                self._signs[pod] = _Sign(self._clock.now_s(), files)
            else:
                self._signs.pop(pod, None)
