"""The source database in memory keeps the promises of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.reselect_contract import DB, Cell, ReselectContract
from worker.reselect.memory import MemoryReselector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class MemoryDatabase:
    def __init__(self) -> None:
        self.reselector = MemoryReselector(DB)
        self.down = self.reselector.down
        self.up = self.reselector.up

    def create(
        self, schema: str, table: str, columns: Mapping[str, str], unreadable: Sequence[str] = ()
    ) -> None:
        self.reselector.create(schema, table, columns, unreadable)

    def insert(self, schema: str, table: str, row: Mapping[str, Cell]) -> None:
        values = {name: cell.value for name, cell in row.items()}
        self.reselector.insert(schema, table, values)

    def delete(self, schema: str, table: str, key: Mapping[str, Cell]) -> None:
        values = {name: cell.value for name, cell in key.items()}
        self.reselector.delete(schema, table, values)


class TestMemoryReselector(ReselectContract):
    @pytest.fixture
    def database(self) -> MemoryDatabase:
        return MemoryDatabase()
