"""What the servers are made of is had once, whoever asks at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.stack.artifacts import filling
from tests.stack.home import alone, servers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECSINK_STACK_DIR", str(tmp_path / "stack"))


def test_one_fills_a_folder_and_the_others_wait_until_it_is_full() -> None:
    target = servers() / "something"

    def fill(_: int) -> bool:
        with filling(target) as folder:
            if folder:
                time.sleep(0.2)
                (folder / "file").touch()
        assert (target / "file").exists()
        return folder is not None

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(fill, range(4))) == [False, False, False, True]


def test_one_is_alone_and_the_next_is_told_so() -> None:
    with alone("here") as first, alone("here") as second, alone("there") as elsewhere:
        assert (first, second, elsewhere) == (True, False, True)
    with alone("here") as later:
        assert later
