"""The first answer of Pinecone, read by several threads at the same time."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import threading

from pinecone._internal.adapters._decode import decode_response
from pinecone.models.indexes.index import IndexModel
from worker.store import pinecone_index

ANSWER = b'''{"name": "shop", "host": "http://127.0.0.1:5081", "deletion_protection": "disabled",
    "status": {"ready": true, "state": "Ready"},
    "schema": {"fields": {"_values": {"type": "dense_vector", "dimension": 8, "metric": "cosine"}}},
    "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}}'''

sys.setswitchinterval(1e-6)
barrier = threading.Barrier(20)


def read():
    barrier.wait()
    decode_response(ANSWER, IndexModel)


threads = [threading.Thread(target=read) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_many_threads_may_read_the_first_answer_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], check=False)

    assert ended.returncode == 0
