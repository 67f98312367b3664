"""A server that answers as Weaviate does where a test wants it to fail."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import grpc
from weaviate.proto.v1 import (
    batch_delete_pb2,
    batch_pb2,
    search_get_pb2,
    tenants_pb2,
    weaviate_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass
class Failure:
    """What happens instead of an answer over gRPC."""

    code: grpc.StatusCode
    details: str = "no"
    delay_s: float = 0.0


@dataclass
class Front:
    """What it says."""

    url: str = ""
    grpc_address: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    vectors: Mapping[str, str] = field(default_factory=lambda: {"default": "cosine"})
    """Distances of the collection's vectors, by name; the one without a name has an empty one."""
    failures: deque[Failure] = field(default_factory=deque)
    refused: Callable[[batch_pb2.BatchObject], str | None] = lambda _: None
    """Why an object is refused, or None."""
    found: Sequence[search_get_pb2.SearchResult] = ()
    """What a search finds, the oldest first."""
    undeleted: int = 0
    asked: list[str] = field(default_factory=list)

    def described(self, path: str) -> Any:
        if path == "/v1/meta":
            return {"version": "1.35.2"}
        indexes = {
            name: {"vectorIndexConfig": {"distance": distance}}
            for name, distance in self.vectors.items()
        }
        return {
            "class": "Shop",
            "description": "Points of vecsink: 8 dimensions",
            **indexes.pop("", {}),
            "vectorConfig": indexes,
            "multiTenancyConfig": {"enabled": True, "autoTenantCreation": True},
            "properties": [{"name": "_stored", "dataType": ["text"]}],
        }


class _Weaviate(weaviate_pb2_grpc.WeaviateServicer):
    def __init__(self, front: Front) -> None:
        self._front = front

    def _begin(self, name: str, context: Any) -> None:
        self._front.asked.append(name)
        if self._front.failures:
            failure = self._front.failures.popleft()
            time.sleep(failure.delay_s)
            context.abort(failure.code, failure.details)

    def TenantsGet(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        self._begin("TenantsGet", context)
        return tenants_pb2.TenantsGetReply()

    def Search(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        self._begin("Search", context)
        wanted = set(request.filters.value_text_array.values)
        found = [
            one
            for one in self._front.found
            if one.metadata.id > request.after and (not wanted or one.metadata.id in wanted)
        ]
        return search_get_pb2.SearchReply(results=found[: request.limit])

    def BatchDelete(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        self._begin("BatchDelete", context)
        return batch_delete_pb2.BatchDeleteReply(failed=self._front.undeleted)

    def BatchObjects(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        self._begin("BatchObjects", context)
        said = enumerate(map(self._front.refused, request.objects))
        errors = [
            batch_pb2.BatchObjectsReply.BatchError(index=index, error=one)
            for index, one in said
            if one is not None
        ]
        return batch_pb2.BatchObjectsReply(errors=errors)


@contextmanager
def weaviate_front() -> Iterator[Front]:
    """Run one on free ports of this machine."""
    front = Front()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            front.asked.append(self.path)
            if front.status == 0:
                self.close_connection = True
                return
            wanted = front.described(self.path)
            if front.status != 200:
                wanted = {"error": [{"message": "cannot read 'a secret row'"}]}
            content = json.dumps(wanted).encode() if front.body is None else front.body
            self.send_response(front.status)
            for name, value in front.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    calls = grpc.server(ThreadPoolExecutor(4))
    weaviate_pb2_grpc.add_WeaviateServicer_to_server(  # type: ignore[no-untyped-call]
        _Weaviate(front), calls
    )
    front.grpc_address = f"127.0.0.1:{calls.add_insecure_port('127.0.0.1:0')}"
    calls.start()
    try:
        yield front
    finally:
        calls.stop(grace=None).wait()
        server.shutdown()
        thread.join()
        server.server_close()
