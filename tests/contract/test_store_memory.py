"""The store in memory keeps the promises of a store, with and without its guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.store_contract import DIMENSIONS, StoreContract, point
from worker.errors import RecordError, Stage
from worker.store.creation import Creation
from worker.store.measured import MeasuredStore
from worker.store.memory import MemoryConfig, MemoryStore
from worker.store.memory_behaviour import MemoryBehaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.model import Point
    from worker.store.port import Store


def made(dimensions: int | None, *, guarded: bool = True) -> MemoryStore:
    config = MemoryConfig.model_validate({"store.dimensions": dimensions})
    behaviour = MemoryBehaviour(guarded=guarded, numbers_writes=True, transactional=True)
    return MemoryStore(config, behaviour=behaviour)


class MemoryContract(StoreContract):
    @pytest.fixture
    def memory(self) -> MemoryStore:
        return made(DIMENSIONS)

    is_always_there = True

    @pytest.fixture
    def store(self, memory: MemoryStore) -> Store:
        return memory

    @pytest.fixture
    def refused(self, memory: MemoryStore) -> Sequence[Point]:
        error = RecordError("as the test says", stage=Stage.STORE, kind="PointRefused")
        memory.refuse("bad", error)
        return [point("bad")]

    @pytest.fixture
    def absent(self) -> MemoryStore:
        store = made(DIMENSIONS)
        missing = Creation().missing("the index 'nowhere'", "it is not there", DIMENSIONS)
        for method in ("check", "fetch", "upsert"):
            store.fail_next(method, missing)
        return store

    @pytest.fixture
    def create(self) -> Callable[[int | None], Store]:
        return made


class TestMemoryStore(MemoryContract):
    """As it is."""


class TestUnguardedMemoryStore(MemoryContract):
    @pytest.fixture
    def memory(self) -> MemoryStore:
        return made(DIMENSIONS, guarded=False)


class TestMeasuredStore(MemoryContract):
    """Counting calls changes nothing about them."""

    @pytest.fixture
    def store(self, memory: MemoryStore) -> Store:
        return MeasuredStore(memory, "memory")

    @pytest.fixture
    def create(self) -> Callable[[int | None], Store]:
        return lambda dimensions: MeasuredStore(made(dimensions), "memory")
