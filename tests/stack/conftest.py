"""One stack for the whole session: the one that a person has running, or our own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.stack import stack as stacks
from tests.stack.bench import Bench
from tests.stack.home import REPOSITORY, alone, personal_run
from tests.stack.index import PineconeIndex
from tests.stack.local_store import LocalStore
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.stack import Stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The running servers; skips, saying what is missing, only where they cannot run.

    Tests stop servers, so those of a person serve one session at a time.
    """
    with alone("personal-run") as is_free:
        running = stacks.find(personal_run()) if is_free else None
        if running is not None:
            yield running
            return
    stacks.down_abandoned()
    folder = stacks.own_run()
    with _guarding(folder):
        try:
            started = stacks.up(folder)
        except StackUnavailable as error:
            pytest.skip(f"left out, as the real servers cannot run here: {error}")
        try:
            yield started
        finally:
            started.stop()


@contextmanager
def _guarding(folder: Path) -> Iterator[None]:
    """Have the servers of this run folder stopped should we be killed."""
    command = [sys.executable, "-m", "tests.stack", "guard", str(folder)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=REPOSITORY, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate()  # the end of its input ends it, too


@pytest.fixture
def bench(stack: Stack, tmp_path: Path) -> Iterator[Bench]:
    """An index of its own for one test, on a server of its own that may be taken away."""
    server = LocalStore(tmp_path / "store")
    server.start()
    try:
        made = Bench(stack, server, PineconeIndex.create(server.url, "index"), tmp_path)
        yield made
        made.close()
    finally:
        server.stop()
