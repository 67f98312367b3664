"""Where the stack keeps its downloads, servers, data, logs and pid files."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]


def home() -> Path:
    """The folder of everything that is kept between runs; ``VECSINK_STACK_DIR`` moves it."""
    configured = os.environ.get("VECSINK_STACK_DIR")
    folder = Path(configured) if configured else REPOSITORY / ".stack"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def servers() -> Path:
    """The folder of the unpacked servers, one folder each with its version in the name."""
    folder = home() / "servers"
    folder.mkdir(exist_ok=True)
    return folder


def personal_run() -> Path:
    """The run folder of ``python -m tests.stack up``."""
    return home() / "run"


def test_runs() -> Path:
    """The folder of the test sessions' own stacks, named by the pid of the session."""
    return home() / "test-runs"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time do this, such as filling the download cache."""
    with (home() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Whether no other process does this; if one does, it is not waited for."""
    with (home() / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
