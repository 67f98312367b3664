from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_NOT_NEEDED = ("rich", "pygments", "jinja2", "starlette", "uvicorn", "opentelemetry.sdk")
_OURS = ("worker.herding", "worker.rest", "worker.serving", "worker.document.template")
_PROGRAM = f"""
import gc, sys
from worker.cli.starting import start_lean
start_lean()
import worker.cli.run, worker.embed.cohere_client, worker.store.pinecone
print(sorted(set({_NOT_NEEDED + _OURS}) & sys.modules.keys()), gc.isenabled())
from worker.runtime.collector import calm_collector
calm_collector()
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_catching_up_loads_no_server_and_nothing_that_draws_and_collects_afterwards() -> None:
    pytest.importorskip("cohere")
    pytest.importorskip("pinecone")
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split("\n")[:2] == ["[] False", "True True"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells all threads")
def test_a_run_starts_no_threads_for_algebra_that_it_does_not_do() -> None:
    program = (
        "from pathlib import Path\n"
        "from worker.cli.starting import start_lean\n"
        "start_lean()\n"
        "import numpy\n"
        "print(len(list(Path('/proc/self/task').iterdir())))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert int(ended.stdout) == 1
