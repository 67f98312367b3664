"""A server that answers Pinecone's client as a test tells it to, and remembers what was asked."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = tuple[int, dict[str, str], Any]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    size: int
    url_length: int


@dataclass
class ScriptedPinecone:
    """``answers`` by path; what has none is answered as a healthy, empty index would."""

    url: str = ""
    dimensions: int = 4
    answers: dict[str, Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def to(self, path: str) -> list[Asked]:
        return [each for each in self.asked if each.path == path]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.path in self.answers:
            return self.answers[asked.path](asked)
        return 200, {}, self._healthy(asked)

    def index(self, **fields: Any) -> dict[str, Any]:
        dense = {"type": "dense_vector", "dimension": self.dimensions, "metric": "cosine"}
        return {
            "name": "shop",
            "host": self.url,
            "status": {"ready": True, "state": "Ready"},
            "schema": {"fields": {"_values": dense}},
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "deletion_protection": "disabled",
        } | fields

    def _healthy(self, asked: Asked) -> Any:
        if asked.path == "/vectors/upsert":
            return {"upsertedCount": len(asked.body["vectors"])}
        healthy: dict[str, Any] = {
            "/indexes/shop": self.index(),
            "/indexes": {"indexes": [self.index()]},
            "/vectors/fetch": {"vectors": {}, "namespace": "n", "usage": {"readUnits": 1}},
            "/vectors/delete": {},
            "/query": {"matches": [], "namespace": "n", "usage": {"readUnits": 1}},
            "/vectors/list": {"vectors": [], "namespace": "n", "usage": {"readUnits": 1}},
            "/namespaces": {"namespaces": []},
            "/describe_index_stats": {
                "namespaces": {},
                "dimension": self.dimensions,
                "indexFullness": 0,
                "totalVectorCount": 0,
                "metric": "cosine",
                "vectorType": "dense",
            },
        }
        return healthy[asked.path]


def status(code: int, message: str = "no", **headers: str) -> Callable[[Asked], Answer]:
    """Always the same error, in the form of the data plane."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _asked: (code, named, {"code": 3, "message": message, "details": []})


@contextmanager
def scripted_pinecone() -> Iterator[ScriptedPinecone]:
    """Run one on a free port of this machine."""
    script = ScriptedPinecone()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            body = json.loads(raw) if raw else None
            asked = Asked(
                self.command, url.path, parse_qs(url.query), body, len(raw), len(self.path)
            )
            code, headers, answer = script.answer(asked)
            content = json.dumps(answer).encode()
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _handle  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
