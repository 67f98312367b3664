"""A real PostgreSQL with pgvector for contract tests; it comes from PyPI and starts in a second."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.stack.ports import free_ports
from tests.stack.postgres import Postgres
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """The server; skips, saying what is missing, only where it cannot run."""
    try:
        server = Postgres(folder, *free_ports(1))
        server.start()
    except StackUnavailable as error:
        pytest.skip(f"left out, as PostgreSQL cannot run here: {error}")
    try:
        yield server
    finally:
        server.stop()
        server.remove_data()
