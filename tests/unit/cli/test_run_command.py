"""``vecsink run`` and the signals that end it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-c", "from worker.cli.app import main; main()", "run"]
CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}
NOBODY = "127.0.0.1:9"


@pytest.mark.parametrize(
    ("options", "expected"), [([], 0), (["--until-caught-up"], 128 + signal.SIGTERM)]
)
def test_a_signal_is_a_good_end_only_of_a_run_without_one(
    tmp_path: Path, options: list[str], expected: int
) -> None:
    file = tmp_path / "products.json"
    file.write_text(json.dumps(CONNECTOR))
    running = subprocess.Popen(
        [*COMMAND, str(file), *options],
        env={**os.environ, "CONNECT_BOOTSTRAP_SERVERS": NOBODY},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    next(line for line in running.stderr if "Connection refused" in line)

    running.terminate()

    running.communicate(timeout=30)
    assert running.returncode == expected
