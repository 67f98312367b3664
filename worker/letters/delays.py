"""Why letters that are asked for wait, such as for a connector that is paused.

    replays/<topic>/<partition>   {"wait": "the connector is paused"}

By the partition that they came from, and said by whoever owns it; without a record they do not
wait for anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.model import TopicPartition

if TYPE_CHECKING:
    from worker.state.port import StateTopic, Value

DELAYS = "replays/"
_MOST_CHARACTERS = 500


class Delays:
    """Reads and writes them. Thread-safe, as each partition has one owner who writes."""

    def __init__(self, topic: StateTopic) -> None:
        self._topic = topic
        self._known: dict[TopicPartition, str] = {}
        self._said: dict[TopicPartition, str] = {}
        """By this process, and perhaps not read back yet."""
        topic.attach(DELAYS, self._read)

    def why(self, origin: TopicPartition) -> str:
        """Why letters of a partition wait; empty if they do not. Never blocks."""
        return self._known.get(origin, "")

    def say(self, origin: TopicPartition, why: str) -> None:
        """Have everybody know; empty: they do not wait any more. Never blocks.

        Raises:
            FatalError: the state topic refuses it.
        """
        if self._said.get(origin, self.why(origin)) == why:
            return
        value = {"wait": why[:_MOST_CHARACTERS]} if why else None
        try:
            self._topic.post(f"{DELAYS}{origin.topic}/{origin.partition}", value)
        except RetriableError:
            return  # said again at the next turn
        self._said[origin] = why

    def look_again(self) -> None:
        """Partitions came: what is known of them is what the log says."""
        self._said.clear()

    @property
    def are_known(self) -> bool:
        """Whether letters of any partition wait, or did when their owner went."""
        return bool(self._known)

    def _read(self, _offset: int, key: str, value: Value | None) -> None:
        topic, _, number = key.removeprefix(DELAYS).rpartition("/")
        if not topic or not number.isdecimal():
            return
        place = TopicPartition(topic, int(number))
        why = "" if value is None else str(value.get("wait", ""))
        if why:
            self._known[place] = why
        else:
            self._known.pop(place, None)
