"""What the servers are made of is had once, whoever asks at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.stack.__main__ import main
from tests.stack.artifacts import filling
from tests.stack.home import alone, servers

if TYPE_CHECKING:
    from pathlib import Path

FAILING_GO = """#!/bin/sh
if [ "$1" = mod ]; then echo '{"Dir": "/"}'; exit; fi
n=0; while [ $n -lt 40 ]; do n=$((n + 1)); echo $n; done
echo no space left on device >&2; exit 1
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECSINK_STACK_DIR", str(tmp_path / "stack"))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is found as a command."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


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


def test_a_build_that_fails_is_told_with_the_end_of_its_log(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (programs / "go").write_text(FAILING_GO)
    (programs / "go").chmod(0o755)
    assert main(["weaviate"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("Weaviate was not built, and where Go is its tests run: ")
    assert said.endswith("\n39\n40\nno space left on device\n")
    assert list(servers().iterdir()) == []


@pytest.mark.usefixtures("programs")
def test_without_go_weaviate_is_left_out_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weaviate"]) == 0
    assert "Go, which is not here" in capsys.readouterr().out
