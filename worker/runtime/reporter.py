"""Says on the board what this pod's tasks are, and which topics they read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from worker.errors import WorkerError
from worker.runtime.port import State, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import TopicPartition
    from worker.runtime.board import Board, Posted

_log = logging.getLogger(__name__)

_UNKNOWN = -1


class Reporter:
    """Belongs to one thread. What the board says and is not so is said again."""

    def __init__(self, board: Board, pod: str, worker_id: str) -> None:
        self._board = board
        self._pod = pod
        self._worker_id = worker_id
        self._said: dict[tuple[str, int], tuple[Status, int]] = {}
        """And the offset of what the board had then, as ours takes a moment to be there."""
        self._progress: dict[tuple[str, TopicPartition], int] = {}

    def report(self, connector: str, states: Mapping[int, tuple[State, str]]) -> None:
        """What the tasks here are; those that are here no longer are nobody's."""
        posted = self._board.tasks(connector)
        for number, (state, trace) in states.items():
            mine = Status(state, self._worker_id, trace)
            self._say(connector, number, mine, posted.get(number))
        for number in posted.keys() - states.keys():
            before = posted[number]
            if before.pod == self._pod:
                nobodys = Status(State.UNASSIGNED, self._worker_id)
                self._say(connector, number, nobodys, before)

    def read(self, connector: str, progress: Mapping[TopicPartition, int]) -> None:
        """How far the tasks here have read: of what moves, the topic is active."""
        known = self._board.topics(connector)
        for place, offset in progress.items():
            key = connector, place
            if self._progress.get(key) == offset:
                continue
            if place.topic in known or self._has_posted_topic(connector, place.topic):
                self._progress[key] = offset

    def _say(self, connector: str, number: int, status: Status, posted: Posted | None) -> None:
        offset = _UNKNOWN if posted is None else posted.offset
        if posted is not None and (posted.status, posted.pod) == (status, self._pod):
            return
        if self._said.get((connector, number)) == (status, offset):
            return  # on its way
        try:
            self._board.post_task(connector, number, status, self._pod)
        except WorkerError as error:
            _log.debug("What task %s-%d is will be said later: %s", connector, number, error)
        else:
            self._said[connector, number] = status, offset

    def _has_posted_topic(self, connector: str, topic: str) -> bool:
        try:
            self._board.post_topic(connector, topic)
        except WorkerError as error:
            _log.debug("That %s is read will be said later: %s", topic, error)
            return False
        return True
