"""Clients that talk to somebody's Kafka are those that come back (ADR 21)."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "worker"
BARE = {"Consumer", "Producer", "AdminClient"}
OF_THIS_PROCESS = {"config/librdkafka.py", "demo/replay.py", "source/mock_cluster.py"}
"""They talk to nobody, or to a broker that ends with them."""


def test_no_client_is_made_that_may_forget_all_brokers() -> None:
    makers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BARE
    }
    assert makers == OF_THIS_PROCESS
