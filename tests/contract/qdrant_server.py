"""``python -m tests.contract.qdrant_server FOLDER PORT GRPC_PORT``: both APIs, until a signal.

Qdrant's engine in a process of its own that can be killed, for where its server cannot be had.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.contract.qdrant_engine import LoggingEngine
from tests.contract.qdrant_grpc import grpc_server
from tests.contract.qdrant_rest import rest_server


def main(folder: str, port: str, grpc_port: str) -> None:
    """Serve what is in the folder."""
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    engine = LoggingEngine(kept)
    with rest_server(engine, int(port)), grpc_server(engine, int(grpc_port)):
        signal.sigwait(ends)


if __name__ == "__main__":
    main(*sys.argv[1:])
