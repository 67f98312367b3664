"""The herder of a pod, and the one in memory that the tests of REST use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.herder_contract import HerderContract
from tests.unit.rest.memory_herder import MemoryHerder
from tests.unit.runtime.fake_cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.runtime.herder import PodHerder


class TestMemoryHerder(HerderContract):
    @pytest.fixture
    def herder(self) -> MemoryHerder:
        return MemoryHerder()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


class TestPodHerder(HerderContract):
    @pytest.fixture
    def herder(self, cluster: Cluster) -> PodHerder:
        return cluster.pod().herder


class TestPodHerderAmongOthers(HerderContract):
    @pytest.fixture
    def herder(self, cluster: Cluster) -> PodHerder:
        cluster.pod("other:8083")
        return cluster.pod().herder
