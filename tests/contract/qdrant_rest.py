"""A server that speaks Qdrant's REST API before the engine."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qdrant_client import models

from tests.contract.qdrant_front import Fault, Front, Refused, collection_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.contract.qdrant_front import Engine

NONE: Mapping[str, str] = MappingProxyType({})


@contextmanager
def rest_server(engine: Engine, port: int = 0) -> Iterator[Front]:
    """A server of the REST API on this machine, on a free port unless one is named."""
    front = Front(engine)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            front.asked.append(f"{self.command} {self.path}")
            if front.faults:
                self._fail(front.faults.popleft())
            elif front.key is not None and self.headers.get("api-key") != front.key:
                self._answer(401, _error("Must provide an API key"))
            else:
                self._answer(*_answered(front, self.command, urlsplit(self.path).path, raw))

        def _fail(self, fault: Fault) -> None:
            time.sleep(fault.delay_s)
            if fault.status == 0:
                self.close_connection = True
            else:
                body = _error("no") if fault.body is None else fault.body
                self._answer(fault.status, body, fault.headers)

        def _answer(self, code: int, content: bytes, headers: Mapping[str, str] = NONE) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _error(message: str) -> bytes:
    return json.dumps({"status": {"error": message}, "time": 0.0}).encode()


def _answered(front: Front, method: str, path: str, raw: bytes) -> tuple[int, bytes]:
    try:
        answer = _result(front, method, path, raw)
    except Refused as error:
        return error.status, _error(error.message)
    return 200, json.dumps(answer, default=_plain).encode()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_unset=True)


def _result(front: Front, method: str, path: str, raw: bytes) -> Any:
    if path == "/":
        return {"title": "qdrant - vector search engine", "version": front.version}
    _, _, name, *rest = [*path.split("/"), ""]
    route = f"{method} {'/'.join(rest).rstrip('/')}".strip() if name else f"{method} all"
    if route not in _ROUTES:
        raise Refused(404, f"no route {method} {path}")
    return {"result": _ROUTES[route](front, name, raw), "status": "ok", "time": 0.0}


def _list(front: Front, _name: str, _raw: bytes) -> Any:
    return {"collections": [{"name": one} for one in front.engine.collections]}


def _exists(front: Front, name: str, _raw: bytes) -> Any:
    return {"exists": name in front.engine.collections}


def _describe(front: Front, name: str, _raw: bytes) -> Any:
    return collection_info(front.engine, name)


def _create(front: Front, name: str, raw: bytes) -> Any:
    front.engine.create(name, models.CreateCollection.model_validate_json(raw).vectors)
    return True


def _drop(front: Front, name: str, _raw: bytes) -> Any:
    front.engine.named(name)
    front.engine.drop(name)
    return True


def _index(front: Front, name: str, raw: bytes) -> Any:
    wanted = models.CreateFieldIndex.model_validate_json(raw)
    schema = wanted.field_schema
    if isinstance(schema, models.KeywordIndexParams):
        front.engine.index(name, wanted.field_name, "keyword", is_tenant=bool(schema.is_tenant))
    else:
        assert isinstance(schema, models.PayloadSchemaType)
        front.engine.index(name, wanted.field_name, schema.value)
    return front.written()


def _upsert(front: Front, name: str, raw: bytes) -> Any:
    wanted = models.PointsList.model_validate_json(raw)
    front.upsert(name, wanted.points, wanted.update_filter)
    return front.written()


def _delete(front: Front, name: str, raw: bytes) -> Any:
    body = json.loads(raw)
    where = models.Filter.model_validate(body["filter"]) if "filter" in body else None
    front.engine.delete(name, body.get("points"), where)
    return front.written()


def _retrieve(front: Front, name: str, raw: bytes) -> Any:
    return front.engine.retrieve(name, json.loads(raw)["ids"])


def _scroll(front: Front, name: str, raw: bytes) -> Any:
    wanted = models.ScrollRequest.model_validate_json(raw)
    found, following = front.engine.scroll(name, wanted.filter, wanted.limit or 10, wanted.offset)
    return {"points": found, "next_page_offset": following}


def _query(front: Front, name: str, raw: bytes) -> Any:
    wanted = models.QueryRequest.model_validate_json(raw)
    vector = getattr(wanted.query, "nearest", wanted.query)
    hits = front.engine.query(name, vector, wanted.using, wanted.filter, wanted.limit or 10)
    return {"points": hits}


def _facet(front: Front, name: str, raw: bytes) -> Any:
    wanted = models.FacetRequest.model_validate_json(raw)
    return {"hits": front.engine.facet(name, wanted.key, wanted.limit or 10)}


_ROUTES: dict[str, Callable[[Front, str, bytes], Any]] = {
    "GET all": _list,
    "GET exists": _exists,
    "GET": _describe,
    "PUT": _create,
    "DELETE": _drop,
    "PUT index": _index,
    "PUT points": _upsert,
    "POST points/delete": _delete,
    "POST points": _retrieve,
    "POST points/scroll": _scroll,
    "POST points/query": _query,
    "POST facet": _facet,
}
