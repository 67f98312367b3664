"""The ASGI application: reads requests, hands them to their handlers, writes what they say.

Handlers are synchronous and may wait for Kafka, so they run in threads; health and pages have
threads of their own, so that they answer while others wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from worker.errors import WorkerError
from worker.rest.call import Answer, Call, RefusedError
from worker.rest.shapes import error_message
from worker.runtime.refusals import HerderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from starlette.types import Receive, Scope, Send

    from worker.rest.guard import Guard
    from worker.rest.router import Match, Router
    from worker.telemetry.exposition import Page

    T = TypeVar("T")

_log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S = 90.0
"""As Connect's ``DEFAULT_REST_REQUEST_TIMEOUT_MS``."""
BODY_BYTES_MAX = 4 * 1024**2
_THREADS, _URGENT_THREADS = 16, 4
_JSON = "application/json"
_JSON_IS_FINE = (_JSON, "application/*", "*/*")
_SHOWING = ("GET", "HEAD")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_SNIFFING = {"x-content-type-options": "nosniff"}


class RestApp:
    """Answers HTTP requests."""

    def __init__(
        self,
        router: Router,
        guard: Guard,
        pages: Mapping[str, Page],
        timeout_s: float = REQUEST_TIMEOUT_S,
        *,
        home: str = "",
    ) -> None:
        """``pages`` are answered by path as they are, such as ``/metrics``, before any route.

        ``home`` is where a person is sent who types the address alone into a browser.
        """
        self._router = router
        self._guard = guard
        self._pages = pages
        self._timeout_s = timeout_s
        self._home = home
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rest")
        self._urgent = ThreadPoolExecutor(_URGENT_THREADS, thread_name_prefix="rest-urgent")

    def close(self) -> None:
        """Wait for nobody; what is under way ends by itself."""
        for pool in (self._threads, self._urgent):
            pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        began_s = time.monotonic()
        try:
            response = await self._answered(request)
        except ClientDisconnect:
            return
        response.headers.update(_NO_SNIFFING)
        _note(request, response, time.monotonic() - began_s)
        if request.method == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        try:
            return await self._response(request)
        except RefusedError as error:
            return _error(error.status, str(error), error.headers)
        except HerderError as error:
            return _error(error.status, str(error))
        except WorkerError as error:
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except TimeoutError:
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "Request timed out")
        except ClientDisconnect:
            raise
        except Exception:  # noqa: BLE001 - said in the log, and the next request may work
            _log.exception("%s %s cannot be answered.", request.method, _path(request))
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")

    async def _response(self, request: Request) -> Response:
        path = _path(request)
        self._guard.check(request, path)
        if path == "/" and self._home and _is_person(request):
            headers = {"location": self._home, "vary": "accept"}
            return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers=headers)
        page = self._pages.get(path)
        if page is not None:
            return await self._shown(request, page)
        if request.method == "OPTIONS" and (methods := self._router.methods(path)):
            allow = {"allow": ",".join(methods)}
            return Response(", ".join(methods), headers=allow, media_type="text/plain")
        match = self._router.find(request.method, path)
        _check_media_types(request)
        call = Call(match.arguments, request.query_params, await _body(request))
        answer = await self._in_thread(self._pool(match), lambda: match.route.handler(call))
        return _written(request, answer)

    async def _shown(self, request: Request, page: Page) -> Response:
        if request.method not in _SHOWING:
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, {"allow": ",".join(_SHOWING)})
        body = await self._in_thread(self._urgent, page.body)
        return Response(body, page.status, page.headers, media_type=page.content_type)

    def _pool(self, match: Match) -> ThreadPoolExecutor:
        return self._urgent if match.route.is_urgent else self._threads

    async def _in_thread(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        running = asyncio.get_running_loop().run_in_executor(pool, work)
        return await asyncio.wait_for(running, self._timeout_s)


def _is_person(request: Request) -> bool:
    """Whether a browser shows the answer to somebody.

    Java's own client accepts ``text/html``, too, and means any answer; XHTML only browsers name.
    """
    accepted = request.headers.get("accept", "")
    return request.method in _SHOWING and "application/xhtml+xml" in accepted


def _path(request: Request) -> str:
    """As it was sent, percent-encoded."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _check_media_types(request: Request) -> None:
    """As Connect's ``@Consumes`` and ``@Produces`` do.

    Raises:
        RefusedError: the body, or what the client wants to have, is no JSON.
    """
    wanted = ",".join(request.headers.getlist("accept"))
    kinds = [kind.partition(";")[0].strip().lower() for kind in wanted.split(",")]
    if wanted and not any(kind in _JSON_IS_FINE for kind in kinds):
        raise RefusedError(HTTPStatus.NOT_ACCEPTABLE)
    has_body = request.headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in request.headers
    )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and kind != _JSON:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        parts.append(part)
    return b"".join(parts)


def _written(request: Request, answer: Answer) -> Response:
    headers: dict[str, str] = {}
    if answer.location:
        headers["location"] = f"{str(request.base_url).rstrip('/')}{answer.location}"
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return Response(orjson.dumps(answer.body), answer.status, headers, media_type=_JSON)


def _error(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = orjson.dumps(error_message(status.value, message))
    return Response(body, status, headers, media_type=_JSON)


def _note(request: Request, response: Response, took_s: float) -> None:
    """What changes something is worth a line; the query is left out."""
    level = logging.DEBUG if request.method in _READING else logging.INFO
    line = "%s %s: %s in %.0f ms"
    _log.log(level, line, request.method, _path(request), response.status_code, took_s * 1000)
