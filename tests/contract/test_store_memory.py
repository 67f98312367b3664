"""The store in memory keeps the promises of a store, with and without its guard."""

from __future__ import annotations

import pytest

from tests.contract.store_contract import DIMENSIONS, StoreContract
from worker.store.measured import MeasuredStore
from worker.store.memory import MemoryBehaviour, MemoryConfig, MemoryStore


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(MemoryConfig.model_validate({"store.dimensions": DIMENSIONS}))


class TestUnguardedMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(
            MemoryConfig.model_validate({"store.dimensions": DIMENSIONS}),
            behaviour=MemoryBehaviour(guarded=False),
        )


class TestMeasuredStore(StoreContract):
    """Counting calls changes nothing about them."""

    @pytest.fixture
    def store(self) -> MeasuredStore:
        config = MemoryConfig.model_validate({"store.dimensions": DIMENSIONS})
        return MeasuredStore(MemoryStore(config), "memory")
