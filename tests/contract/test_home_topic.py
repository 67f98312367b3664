"""A compacted topic as home: in memory, and on librdkafka's mock cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.homes_contract import ONE, TWO, HomeContract, configs, found
from tests.contract.kafka_state import KafkaGroup
from tests.contract.source_contract import fresh
from worker.homes.topic import TopicHome
from worker.source.mock_cluster import MockCluster
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from worker.homes.port import OpenHome
    from worker.state.port import StateTopic


class Topic:
    """Each call may be made on another pod."""

    def __init__(self, handle: Callable[[], StateTopic]) -> None:
        self._handle = handle
        self._hand = self.pod()

    def pod(self) -> OpenHome:
        return TopicHome(self._handle(), "configs")

    def put(self, values: Mapping[str, str]) -> None:
        self._hand.put(values["name"], values)

    def remove(self, name: str) -> None:
        self._hand.remove(name)


class TestMemory(HomeContract):
    @pytest.fixture
    def place(self) -> Topic:
        log = MemoryLog()
        return Topic(lambda: MemoryStateTopic(log))


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCluster]:
    with MockCluster() as mock:
        yield mock


class TestKafka(HomeContract):
    @pytest.fixture
    def place(self, mock: MockCluster) -> Iterator[Topic]:
        group = KafkaGroup(mock.bootstrap_servers, fresh("configs"))
        yield Topic(group.pod)
        group.close()


def test_what_one_pod_puts_is_there_on_return_and_survives_compaction() -> None:
    log = MemoryLog()
    home = TopicHome(MemoryStateTopic(log), "configs")
    home.put("one", {**ONE, "topics": "old"})
    home.put("one", ONE)
    home.put("two", TWO)
    home.remove("two")
    assert configs(home) == {"one": ONE}
    assert found(home)["one"].origin == "configs"
    log.compact()
    assert configs(TopicHome(MemoryStateTopic(log), "configs")) == {"one": ONE}


def test_to_remove_what_is_not_there_writes_nothing() -> None:
    log = MemoryLog()
    TopicHome(MemoryStateTopic(log), "configs").remove("one")
    assert log.records == []
