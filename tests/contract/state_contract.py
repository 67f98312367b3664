"""What every state topic promises; its own test file brings the group's pods."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import pytest

from worker.errors import RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.state.port import StateTopic, Value

DEADLINE_S = 60.0


class Group(Protocol):
    """What a test file brings."""

    def pod(self) -> StateTopic:
        """Another pod's handle on the same topic; closed after the test."""
        ...


class Notes:
    """A reader that keeps what it was handed."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.records: list[tuple[str, Value | None]] = []

    def __call__(self, offset: int, key: str, value: Value | None) -> None:
        self.offsets.append(offset)
        self.records.append((key, value))

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.records]


def append(topic: StateTopic, key: str, value: Value | None) -> int:
    """As everybody should: again while the brokers are away."""
    return insist(lambda: topic.append(key, value))


def insist(call: Callable[[], int]) -> int:
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            return call()
        except RetriableError:
            assert time.monotonic() < deadline_s


def eventually(is_true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


class StateContract:
    """Fixture ``group``."""

    def test_what_is_appended_is_read_back_by_offset(self, group: Group) -> None:
        topic, notes = group.pod(), Notes()
        topic.attach("", notes)
        first = append(topic, "a", {"tokens": 1, "of": ["x", None, 1.5], "ä": "ö"})
        second = append(topic, "b", None)
        assert second > first
        topic.read_up_to(second, DEADLINE_S)
        assert notes.records == [
            ("a", {"tokens": 1, "of": ["x", None, 1.5], "ä": "ö"}),
            ("b", None),
        ]
        assert notes.offsets == [first, second]

    def test_all_pods_read_the_same_log_whoever_wrote_it(self, group: Group) -> None:
        pods = [group.pod() for _ in range(3)]
        notes = [Notes() for _ in pods]
        for pod, reader in zip(pods, notes, strict=True):
            pod.attach("", reader)

        def write(number: int) -> int:
            return max(append(pods[number], f"{number}/{one}", {"n": one}) for one in range(20))

        with ThreadPoolExecutor(3) as threads:
            last = max(threads.map(write, range(3)))
        for pod in pods:
            pod.read_up_to(last, DEADLINE_S)
        assert notes[0].records == notes[1].records == notes[2].records
        assert notes[0].offsets == sorted(notes[0].offsets)
        assert len(notes[0].records) == 60

    def test_a_reader_gets_its_prefix_alone_from_the_beginning_and_then_live(
        self, group: Group
    ) -> None:
        writer = group.pod()
        append(writer, "spend/1", {"n": 1})
        append(writer, "model/1", {"n": 2})
        late, spend, model = group.pod(), Notes(), Notes()
        late.attach("spend/", spend)
        assert late.caught_up(DEADLINE_S)
        assert spend.keys == ["spend/1"]
        append(writer, "spend/2", {"n": 3})
        eventually(lambda: spend.keys == ["spend/1", "spend/2"])
        late.attach("model/", model)
        last = append(late, "model/2", {"n": 4})
        late.read_up_to(last, DEADLINE_S)
        assert model.keys == ["model/1", "model/2"]
        assert spend.keys == ["spend/1", "spend/2"]

    def test_who_is_not_read_up_to_in_time_is_told(self, group: Group) -> None:
        topic = group.pod()
        topic.attach("", Notes())
        last = append(topic, "a", {})
        topic.read_up_to(last, DEADLINE_S)
        with pytest.raises(RetriableError):
            topic.read_up_to(last + 1, 0.05)

    def test_posted_records_arrive_in_order_among_the_appended_ones(self, group: Group) -> None:
        topic, notes = group.pod(), Notes()
        topic.attach("", notes)
        append(topic, "0", {})
        for number in range(1, 50):
            topic.post(str(number), {})
        topic.read_up_to(append(topic, "50", {}), DEADLINE_S)
        assert notes.keys == [str(number) for number in range(51)]

    def test_closing_delivers_what_was_posted(self, group: Group) -> None:
        topic, other, notes = group.pod(), group.pod(), Notes()
        append(topic, "0", {})
        topic.post("1", {})
        topic.close(DEADLINE_S)
        other.attach("", notes)
        eventually(lambda: notes.keys == ["0", "1"])

    def test_an_empty_topic_is_caught_up_with(self, group: Group) -> None:
        topic = group.pod()
        append(topic, "other", {})  # where topics appear by being written to, it appears
        topic.attach("spend/", Notes())
        assert topic.caught_up(DEADLINE_S)

    def test_many_threads_may_wait_at_the_same_time(self, group: Group) -> None:
        topic, notes, lock = group.pod(), Notes(), threading.Lock()
        topic.attach("", notes)
        seen: dict[int, bool] = {}

        def work(number: int) -> None:
            offset = append(topic, f"k{number}", {"n": number})
            topic.read_up_to(offset, DEADLINE_S)
            with lock:
                seen[number] = f"k{number}" in notes.keys

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(40)))
        assert seen == dict.fromkeys(range(40), True)

    def test_what_is_posted_at_once_waits_for_the_topic_to_exist(self, group: Group) -> None:
        topic, other, notes = group.pod(), group.pod(), Notes()
        topic.post("1", {"n": 1})
        topic.post("2", {"n": 2})
        topic.close(DEADLINE_S)
        other.attach("", notes)
        other.read_up_to(append(other, "3", {}), DEADLINE_S)
        assert notes.keys == ["1", "2", "3"]
