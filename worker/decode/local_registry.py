"""A small schema registry in this process, for demonstrations and tests."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

_HOST = "127.0.0.1"


class LocalRegistry:
    """Serves schemas by id and by subject, read-only, on a free port of this machine.

    ``subjects`` says which ids are the versions 1, 2, … of a subject; it may be left out.
    """

    def __init__(
        self, schemas: Mapping[int, str], subjects: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        """Take Avro schemas as JSON text by id."""
        self.schemas = dict(schemas)
        """May be added to while it runs."""
        self.subjects = {name: list(ids) for name, ids in (subjects or {}).items()}
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Its address, while it runs."""
        if self._server is None:
            raise RuntimeError("the registry is not started")
        return f"http://{_HOST}:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        handler = type("_Handler", (_Handler,), {"registry": self})
        self._server = ThreadingHTTPServer((_HOST, 0), handler)
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="local-registry",
            daemon=True,
        ).start()

    def stop(self) -> None:
        """Stop answering. Idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def answer(self, path: str) -> tuple[int, Any]:
        """HTTP status and JSON for a GET of this path, as Confluent's registry gives them."""
        match [unquote(part) for part in path.partition("?")[0].split("/")[1:]]:
            case ["schemas", "ids", schema_id]:
                return self._by_id(int(schema_id))
            case ["subjects"]:
                return 200, sorted(self.subjects)
            case ["subjects", subject, "versions"] if subject in self.subjects:
                return 200, list(range(1, len(self.subjects[subject]) + 1))
            case ["subjects", subject, "versions", number] if subject in self.subjects:
                return self._version(subject, int(number))
            case ["subjects", *_]:
                return 404, {"error_code": 40401, "message": "Subject not found."}
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _by_id(self, schema_id: int) -> tuple[int, Any]:
        if schema_id not in self.schemas:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"schema": self.schemas[schema_id]}

    def _version(self, subject: str, number: int) -> tuple[int, Any]:
        ids = self.subjects[subject]
        if not 1 <= number <= len(ids):
            return 404, {"error_code": 40402, "message": "Version not found."}
        schema_id = ids[number - 1]
        text = self.schemas[schema_id]
        return 200, {"subject": subject, "version": number, "id": schema_id, "schema": text}


class _Handler(BaseHTTPRequestHandler):
    registry: LocalRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, content = self.registry.answer(self.path)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""
