"""What all pods of a worker know in common: wishes, and what became of them.

Everything is a small record of a state topic; a pod reads all of them and writes what it is asked
for and what it does itself. So each pod can answer for all, and requests find their owner: who
runs the task acts on them, and nobody forwards anything.

    target/<connector>          {"state": "PAUSED"}
    restart/<connector>         {"tasks": [0, 1], "reread": true}   the newest counts, by its offset
    task/<connector>/<number>   {"state", "worker_id", "pod", "trace"}   what a task is
    topics/<connector>/<topic>  {}                                  a record was read from it
    logger/<name>               {"level": "DEBUG"}                  acted on when it comes
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from worker.immutable import immutable
from worker.runtime.port import State, Status, TargetState
from worker.runtime.wanted import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.state.port import StateTopic, Value

_READ_S = 10.0


class Posted(NamedTuple):
    """What a task is, as its pod said."""

    status: Status
    pod: str
    """The process that runs it: ``worker_id`` is for people, and two may have the same."""
    offset: int


@immutable
class Wishes:
    """What to restart; a request is known by its offset."""

    restarts: Mapping[int, int] = field(default_factory=dict)
    reread: int = NEVER


class Board:
    """One pod's view; any thread may ask.

    Methods that write wait until it is read back, and raise RetriableError while the brokers are
    away; what is *posted* waits for nothing.
    """

    def __init__(self, topic: StateTopic, on_level: Callable[[str, str], None]) -> None:
        self._topic = topic
        self._on_level = on_level
        self._lock = threading.Lock()
        self._is_current = False
        self._targets: dict[str, TargetState] = {}
        self._wishes: dict[str, Wishes] = {}
        self._tasks: defaultdict[str, dict[int, Posted]] = defaultdict(dict)
        self._topics: defaultdict[str, set[str]] = defaultdict(set)
        readers = {
            "target/": self._take_target,
            "restart/": self._take_restart,
            "task/": self._take_task,
            "topics/": self._take_topic,
            "logger/": self._take_level,
        }
        for prefix, reader in readers.items():
            topic.attach(prefix, reader)

    def caught_up(self, timeout_s: float) -> bool:
        """Whether everything that was written before is known; waits for it.

        Raises:
            FatalError: the topic cannot be read.
        """
        self._is_current = self._is_current or self._topic.caught_up(timeout_s)
        return self._is_current

    def target(self, connector: str) -> TargetState:
        """What it should be."""
        with self._lock:
            return self._targets.get(connector, TargetState.RUNNING)

    def set_target(self, connector: str, target: TargetState) -> None:
        """Remember for good what it should be; written always, as this view may be behind."""
        self._say(f"target/{connector}", {"state": target.value})

    def wishes(self, connector: str) -> Wishes:
        """What to restart."""
        with self._lock:
            return self._wishes.get(connector, Wishes())

    def ask_restart(self, connector: str, tasks: Sequence[int], *, reread: bool) -> None:
        """Have whoever runs these tasks restart them, and the config read again."""
        self._say(f"restart/{connector}", {"tasks": list(tasks), "reread": reread})

    def tasks(self, connector: str) -> Mapping[int, Posted]:
        """What its tasks are, as far as somebody said."""
        with self._lock:
            return dict(self._tasks.get(connector, {}))

    def post_task(self, connector: str, number: int, status: Status, pod: str) -> None:
        """Say what a task of this pod is."""
        said = {"state": status.state.value, "worker_id": status.worker_id, "pod": pod}
        trace = {"trace": status.trace} if status.trace else {}
        self._topic.post(f"task/{connector}/{number}", {**said, **trace})

    def topics(self, connector: str) -> Sequence[str]:
        """Those that records were read from."""
        with self._lock:
            return sorted(self._topics.get(connector, ()))

    def post_topic(self, connector: str, topic: str) -> None:
        """Say that a record was read from it."""
        self._topic.post(f"topics/{connector}/{topic}", {})

    def reset_topics(self, connector: str) -> None:
        """Forget them."""
        for topic in self.topics(connector):
            self._say(f"topics/{connector}/{topic}", None)

    def set_level(self, logger: str, level: str) -> None:
        """On all pods."""
        self._say(f"logger/{logger}", {"level": level})

    def forget(self, connector: str) -> None:
        """It was deleted."""
        with self._lock:
            keys = [f"{kind}/{connector}" for kind in ("target", "restart")]
            keys += [f"task/{connector}/{number}" for number in self._tasks.get(connector, ())]
            keys += [f"topics/{connector}/{topic}" for topic in self._topics.get(connector, ())]
        for key in keys:
            self._topic.post(key, None)

    def _say(self, key: str, value: Value | None) -> None:
        self._topic.read_up_to(self._topic.append(key, value), _READ_S)

    def _take_target(self, _offset: int, key: str, value: Value | None) -> None:
        connector = key.partition("/")[2]
        state = _word(value, "state")
        with self._lock:
            if state in TargetState.__members__:
                self._targets[connector] = TargetState(state)
            else:
                self._targets.pop(connector, None)

    def _take_restart(self, offset: int, key: str, value: Value | None) -> None:
        connector = key.partition("/")[2]
        with self._lock:
            if value is None:
                self._wishes.pop(connector, None)
                return
            before = self._wishes.get(connector, Wishes())
            tasks = dict.fromkeys(value.get("tasks", ()), offset)
            reread = offset if value.get("reread") else before.reread
            self._wishes[connector] = Wishes({**before.restarts, **tasks}, reread)

    def _take_task(self, offset: int, key: str, value: Value | None) -> None:
        _, connector, number = key.split("/", 2)
        if not number.isdecimal():
            return
        state = _word(value, "state")
        with self._lock:
            if value is None or state not in State.__members__:
                self._tasks[connector].pop(int(number), None)
            else:
                status = Status(State(state), _word(value, "worker_id"), _word(value, "trace"))
                self._tasks[connector][int(number)] = Posted(status, _word(value, "pod"), offset)

    def _take_topic(self, _offset: int, key: str, value: Value | None) -> None:
        _, connector, topic = key.split("/", 2)
        with self._lock:
            if value is None:
                self._topics[connector].discard(topic)
            else:
                self._topics[connector].add(topic)

    def _take_level(self, _offset: int, key: str, value: Value | None) -> None:
        if self._is_current and value is not None:
            self._on_level(key.partition("/")[2], _word(value, "level"))


def _word(value: Value | None, key: str) -> str:
    return str(value.get(key, "")) if value is not None else ""
