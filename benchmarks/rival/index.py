"""Pinecone's upsert over gRPC, which is how Redpanda Connect writes; it counts and keeps nothing.

Layout: ``UpsertRequest`` of Pinecone's ``db_data.proto``, whose field 1 holds the vectors.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALLS_AT_ONCE = 64
_MOST_BYTES = 64 << 20
_VECTORS, _BYTES = 1, 2
"""The field, and the wire type of what has a length."""


@dataclass(slots=True)
class GrpcIndex:
    """What it has seen since ``reset``."""

    address: str = ""
    latency_s: float = 0.0
    vectors: int = 0
    last_ms: float = 0.0
    """When the last call was answered, in Unix time."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self, latency_s: float) -> None:
        """Count from zero."""
        self.latency_s, self.vectors, self.last_ms = latency_s, 0, 0.0

    def upsert(self, request: bytes, _context: object) -> bytes:
        """An empty answer, which is an ``UpsertResponse`` as well."""
        found = vectors_in(request)
        time.sleep(self.latency_s)
        with self.lock:
            self.vectors += found
            self.last_ms = time.time() * 1000
        return b""


class _Everything(grpc.GenericRpcHandler):  # type: ignore[misc]  # it has no types
    """One index is all there is, whatever the method."""

    def __init__(self, index: GrpcIndex) -> None:
        self._handler = grpc.unary_unary_rpc_method_handler(index.upsert)

    def service(self, _details: object) -> Any:  # noqa: ANN401 - it has no types
        return self._handler


@contextmanager
def grpc_index() -> Iterator[GrpcIndex]:
    """Started in threads of this process, and gone afterwards."""
    index = GrpcIndex()
    server = grpc.server(
        ThreadPoolExecutor(_CALLS_AT_ONCE),
        handlers=(_Everything(index),),
        options=(("grpc.max_receive_message_length", _MOST_BYTES),),
    )
    index.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield index
    finally:
        server.stop(None)


def vectors_in(request: bytes) -> int:
    """How many an ``UpsertRequest`` holds; all of its fields have a length."""
    found, at = 0, 0
    while at < len(request):
        tag, at = _number(request, at)
        assert tag & 7 == _BYTES, "no UpsertRequest"
        length, at = _number(request, at)
        at += length
        found += tag >> 3 == _VECTORS
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while data[at] > 127:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1
