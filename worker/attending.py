"""Looks at all connectors for the console: always at what costs nothing, at Kafka while it is open.

The last hour is kept from the numbers of this process. Kafka is asked beside the groups, by
clients of our own, as long as somebody looks; a few minutes after that they are closed.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from worker.console.attention import worst
from worker.console.history import EVERY_S, History, Sample
from worker.console.port import Seen, Since
from worker.errors import ConfigError, WorkerError
from worker.lettering import room_of
from worker.overseeing import overview
from worker.runtime.refusals import BadRequestError, HerderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.console.room import Room
    from worker.metering import Metering
    from worker.overview.look import Overview
    from worker.runtime.port import Herder, State
    from worker.telemetry.reading import Reading

    Read = Callable[[Mapping[str, str], str], ConnectorConfig]
    """The settings of a connector, by its values and where they are."""

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 5.0
_IDLE_S = 180.0
"""Without anybody who looks; then connections are closed."""
_LEAVE_S = 2.0
_BEGIN_S = 1.0
"""The worker begins first."""
_AT_ONCE = 4
"""Connectors that are looked at side by side."""


@dataclass(slots=True)
class _Watched:
    """One connector, as far as it is known."""

    values: Mapping[str, str] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    history: History = field(default_factory=History)
    state: State | None = None
    overview: Overview | None = None
    room: Room | None = None
    room_values: Mapping[str, str] = field(default_factory=dict)
    is_looking: bool = False
    read: tuple[float, int] | None = None
    """When, and how many offsets the group had behind it."""

    def close(self) -> None:
        """Drop connections; who is looking just now does so afterwards."""
        if self.overview is not None and not self.is_looking:
            self.overview.close()
            self.overview = None
        if self.room is not None:
            self.room.rest(0.0)


class Attendant:
    """See ``worker.console.port.Watcher``; ``start`` once, ``close`` at the end."""

    def __init__(
        self, worker: WorkerConfig, herder: Herder, metering: Metering, pod: str, read: Read
    ) -> None:
        """``pod`` is how statuses name this one."""
        self.pod = pod
        self._worker = worker
        self._herder = herder
        self._metering = metering
        self._read = read
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._asked_s = float("-inf")
        self._sampled_s = float("-inf")
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._looks = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="console")
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, soon; what is being asked of Kafka is not waited for."""
        with self._lock:
            self._stop.set()
        self._wake.set()
        self._looks.shutdown(wait=False, cancel_futures=True)
        if self._thread.is_alive():
            self._thread.join(_LEAVE_S)

    def seen(self, connector: str) -> Seen:
        """What is known by now."""
        is_first = not self._is_open
        self._asked_s = time.monotonic()
        if is_first:
            self._metering.watch()
            self._wake.set()
        with self._lock:
            watched = self._watched.get(connector)
            if watched is None:
                return Seen()
            return replace(watched.seen, samples=watched.history.samples())

    def letters(self, connector: str) -> Room:
        """Made anew where the config has changed."""
        values = self._herder.connector(connector).config
        with self._lock:
            watched = self._watched.setdefault(connector, _Watched())
            if watched.room is not None and watched.room_values == values:
                return watched.room
        room = room_of(self._worker, self._config(values))
        with self._lock:
            watched.room, watched.room_values, former = room, values, watched.room
        if former is not None:
            former.rest(0.0)
        return room

    @property
    def _is_open(self) -> bool:
        return time.monotonic() - self._asked_s < _IDLE_S

    def _run(self) -> None:
        self._wake.wait(_BEGIN_S)
        while not self._stop.is_set():
            try:
                self._turn()
            except HerderError:
                pass  # it does not know the connectors yet
            except Exception:  # noqa: BLE001 - whatever it is, the next turn may go better
                _log.exception("The console cannot look at the connectors.")
            self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()
        for watched in self._watched.values():
            watched.close()

    def _turn(self) -> None:
        readings = {one.connector: one for one in self._metering.readings()}
        names = set(self._herder.connectors())
        with self._lock:
            for gone in self._watched.keys() - names:
                self._watched.pop(gone).close()
        now_s = time.monotonic()
        samples = now_s - self._sampled_s >= EVERY_S - 1
        self._sampled_s = now_s if samples else self._sampled_s
        for name in names:
            self._see(name, readings.get(name), samples=samples)
            if self._is_open:
                self._ask(name)
            else:
                self._rest(name)

    def _see(self, name: str, reading: Reading | None, *, samples: bool) -> None:
        try:
            state = worst(self._herder.status(name))
        except HerderError:
            return
        now_ms = int(time.time() * 1000)
        with self._lock:
            watched = self._watched.setdefault(name, _Watched())
            if state is not watched.state:
                since = Since(now_ms, is_exact=watched.state is not None)
                watched.state, watched.seen = state, replace(watched.seen, since=since)
            watched.seen = replace(watched.seen, reading=reading)
            if samples:
                standing = watched.seen.standing if self._is_open else None
                watched.history.add(Sample.of(now_ms, reading, standing))

    def _ask(self, name: str) -> None:
        """Have Kafka asked, unless that is being done."""
        with self._lock:
            watched = self._watched.get(name)
            if watched is None or watched.is_looking or self._stop.is_set():
                return
            watched.is_looking = True
            self._looks.submit(self._look, name, watched)

    def _look(self, name: str, watched: _Watched) -> None:
        try:
            found = self._looked(name, watched)
        except WorkerError as error:
            found = replace(watched.seen, problem=str(error))
        except Exception as error:  # noqa: BLE001 - it is this connector's alone
            _log.exception("Connector %s cannot be looked at.", name)
            found = replace(watched.seen, problem=type(error).__name__)
        with self._lock:
            fresh = watched.seen
            watched.seen = replace(found, reading=fresh.reading, since=fresh.since)
            watched.is_looking = False
            if self._watched.get(name) is not watched or self._stop.is_set():
                watched.close()

    def _looked(self, name: str, watched: _Watched) -> Seen:
        values = self._herder.connector(name).config
        if watched.overview is not None and watched.values != values:
            watched.overview.close()
            watched.overview = None
        if watched.overview is None:
            watched.values = values
            watched.overview = overview(self._worker, self._config(values))
        standing = watched.overview.look()
        now_s, before = time.monotonic(), watched.read
        watched.read = (now_s, standing.read)
        rate = None if before is None else (standing.read - before[1]) / (now_s - before[0])
        return Seen(
            standing=standing,
            standing_ms=int(time.time() * 1000),
            rows_per_s=None if rate is None or rate < 0 else rate,
        )

    def _rest(self, name: str) -> None:
        """Nobody looks: drop connections."""
        with self._lock:
            watched = self._watched.get(name)
            if watched is None or watched.is_looking:
                return
            if watched.overview is not None:
                watched.overview.close()
                watched.overview = None
            watched.read = None
            watched.seen = Seen(reading=watched.seen.reading, since=watched.seen.since)
            room = watched.room
        if room is not None:
            room.rest(_IDLE_S)

    def _config(self, values: Mapping[str, str]) -> ConnectorConfig:
        try:
            return self._read(values, values.get("name", "connector"))
        except ConfigError as error:
            raise BadRequestError(f"Its configuration cannot be used: {error}") from error
