"""Which config of a connector the workers are at work with: never with two at a time.

All workers read the same homes, but not at the same moment, and tasks that end still finish what
they have begun. So whoever wants to start tasks says first with which config, and waits while
others that live still have one that differs. Who said so later knows more, so the others end; no
two can wait for each other for good.

A key is ``shift/<connector>/<pod>``, and its value ``{"config": <digest>, "time": <number>}``,
where the number tells what a worker said last from what it had said before.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol

from worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.clock import Clock
    from worker.state.port import StateTopic, Value

_log = logging.getLogger(__name__)

_PREFIX = "shift/"
_SAY_AGAIN_S = 5.0
"""What was posted in an outage may be lost."""


class Shift(Protocol):
    """One connector on one worker. Belongs to one thread; nothing here waits."""

    def begin(self, digest: str) -> bool:
        """Whether tasks with this config may start here; to be asked again until it is so.

        Not to be asked while tasks with another config still run here.
        """
        ...

    def is_over(self, digest: str) -> bool:
        """Whether another worker came later with another config, so that these tasks must end."""
        ...

    def end(self) -> None:
        """No task runs here, and none is about to."""
        ...


class LoneShift:
    """Of a worker that shares its connectors with nobody."""

    def begin(self, digest: str) -> bool:  # noqa: ARG002 - see the port
        """At once."""
        return True

    def is_over(self, digest: str) -> bool:  # noqa: ARG002
        """There is nobody else."""
        return False

    def end(self) -> None:
        """Nobody waits for it."""


class _Claim(NamedTuple):
    offset: int
    digest: str
    time: int


class Shifts:
    """What all workers say of all connectors. Thread-safe."""

    def __init__(
        self, topic: StateTopic, pod: str, may_live: Callable[[str], bool], clock: Clock
    ) -> None:
        """``may_live``: may this pod be at work? Who was not heard of for long is not."""
        self._topic = topic
        self._pod = pod
        self._may_live = may_live
        self._clock = clock
        self._lock = threading.Lock()
        self._claims: defaultdict[str, dict[str, _Claim]] = defaultdict(dict)
        """By connector and pod."""
        topic.attach(_PREFIX, self._take)

    def of(self, connector: str) -> Shift:
        """One connector's, here."""
        return _SharedShift(self, connector, self._clock)

    def say(self, connector: str, digest: str | None, time: int) -> None:
        """Or take it back, with None."""
        value = None if digest is None else {"config": digest, "time": time}
        self._post(connector, self._pod, value)

    def own(self, connector: str) -> _Claim | None:
        """What was said here, once it is read back."""
        with self._lock:
            return self._claims[connector].get(self._pod)

    def others(self, connector: str) -> Mapping[str, _Claim]:
        """Of the others that live, or may, by pod; what the dead had said is forgotten."""
        with self._lock:
            claims = dict(self._claims[connector])
        claims.pop(self._pod, None)
        gone = [pod for pod in claims if not self._may_live(pod)]
        for pod in gone:
            del claims[pod]
            self._post(connector, pod, None)
        return claims

    def _post(self, connector: str, pod: str, value: Value | None) -> None:
        try:
            self._topic.post(f"{_PREFIX}{connector}/{pod}", value)
        except WorkerError as error:
            _log.debug("With which config %s runs will be said later: %s", connector, error)

    def _take(self, offset: int, key: str, value: Value | None) -> None:
        connector, _, pod = key.removeprefix(_PREFIX).rpartition("/")
        with self._lock:
            if value is None:
                self._claims[connector].pop(pod, None)
            else:
                claim = _Claim(offset, str(value.get("config")), int(value.get("time", 0)))
                self._claims[connector][pod] = claim


class _SharedShift:
    def __init__(self, shifts: Shifts, connector: str, clock: Clock) -> None:
        self._shifts = shifts
        self._connector = connector
        self._clock = clock
        self._said: str | None = None
        self._said_s = -math.inf
        self._time = 0
        self._waits = False

    def begin(self, digest: str) -> bool:
        own = self._shifts.own(self._connector)
        if digest != self._said or own is None or own.time != self._time:
            self._say(digest)
            return False
        others = self._shifts.others(self._connector).values()
        may_begin = all(claim.digest == digest for claim in others)
        if not may_begin and not self._waits:
            _log.info("Connector %s waits for workers with another config.", self._connector)
        self._waits = not may_begin
        return may_begin

    def is_over(self, digest: str) -> bool:
        own = self._shifts.own(self._connector)
        if own is None or own.digest != digest:
            return False
        return any(
            claim.digest != own.digest and claim.offset > own.offset
            for claim in self._shifts.others(self._connector).values()
        )

    def end(self) -> None:
        if self._said is not None or self._shifts.own(self._connector) is not None:
            self._say(None)

    def _say(self, digest: str | None) -> None:
        now_s = self._clock.now_s()
        is_news = digest != self._said
        if is_news or now_s - self._said_s >= _SAY_AGAIN_S:
            self._time += is_news
            self._said, self._said_s = digest, now_s
            self._shifts.say(self._connector, digest, self._time)
