"""What a replay says of why it waits, with a worker in the group and without one."""

from __future__ import annotations

import pytest

from tests.unit.config.tiny_plugins import read
from tests.unit.overview.cluster import MemoryBrokers
from worker.cli.own_worker import StandIn
from worker.config.worker import WorkerConfig
from worker.overview.port import Group, GroupState, Member

WORKING = Group(GroupState.RUNNING, (Member("c-0", "10.0.0.1", ()),))
NOTES = ["the connector is paused", "the budget is spent"]


@pytest.fixture
def brokers() -> MemoryBrokers:
    return MemoryBrokers()


@pytest.fixture
def stand_in(brokers: MemoryBrokers) -> StandIn:
    config = read().config
    assert config is not None
    return StandIn(WorkerConfig(), config, brokers)


def test_once_a_worker_joins_nothing_is_in_the_way_any_more(
    brokers: MemoryBrokers, stand_in: StandIn
) -> None:
    stand_in.obstacle = "the connector is paused: resume it"
    brokers.group_now = WORKING
    stand_in.look()
    assert stand_in.why([]) == ""


def test_what_workers_say_counts_while_there_are_any(
    brokers: MemoryBrokers, stand_in: StandIn
) -> None:
    brokers.group_now = WORKING
    stand_in.look()
    assert stand_in.why(NOTES) == "the connector is paused; the budget is spent"


def test_what_a_worker_that_is_gone_has_said_does_not_count(stand_in: StandIn) -> None:
    stand_in.look()
    assert stand_in.why(NOTES) == ""
