"""The state topic in memory keeps the promises of one."""

from __future__ import annotations

import pytest

from tests.contract.marks_contract import MarksContract
from tests.contract.spend_contract import SpendContract
from tests.contract.state_contract import Notes, StateContract
from worker.errors import RetriableError
from worker.state.memory import MemoryLog, MemoryStateTopic


class MemoryGroup:
    def __init__(self) -> None:
        self._log = MemoryLog()

    def pod(self) -> MemoryStateTopic:
        return MemoryStateTopic(self._log)


class TestMemoryStateTopic(StateContract):
    @pytest.fixture
    def group(self) -> MemoryGroup:
        return MemoryGroup()


class TestBudgetInMemory(SpendContract):
    @pytest.fixture
    def group(self) -> MemoryGroup:
        return MemoryGroup()


class TestMarksInMemory(MarksContract):
    @pytest.fixture
    def group(self) -> MemoryGroup:
        return MemoryGroup()


def test_while_the_brokers_are_away_records_wait_and_nothing_is_read() -> None:
    log, notes = MemoryLog(), Notes()
    topic, other = MemoryStateTopic(log), MemoryStateTopic(log)
    topic.attach("", notes)
    topic.down()
    with pytest.raises(RetriableError):
        topic.append("a", {})
    topic.post("b", {})
    other.append("c", {})
    assert notes.keys == []
    topic.up()
    assert notes.keys == ["c", "a", "b"]


def test_an_answer_that_is_lost_leaves_the_record() -> None:
    log = MemoryLog()
    topic = MemoryStateTopic(log)
    topic.lose_answers()
    with pytest.raises(RetriableError):
        topic.append("a", {})
    assert log.keys() == ["a"]


def test_a_compacted_topic_has_the_newest_record_of_each_key_at_its_offset() -> None:
    log, notes = MemoryLog(), Notes()
    topic = MemoryStateTopic(log)
    for key, number in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        topic.append(key, {"n": number})
    topic.append("c", None)
    log.compact()
    MemoryStateTopic(log).attach("", notes)
    assert notes.offsets == [1, 2]
    assert notes.records == [("b", {"n": 2}), ("a", {"n": 3})]


def test_a_pod_that_crashed_writes_nothing_any_more() -> None:
    log = MemoryLog()
    topic = MemoryStateTopic(log)
    topic.down()
    topic.post("a", {})
    topic.crash()
    assert log.keys() == []
