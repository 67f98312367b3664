"""What every call passes: key, faults, size, errors, counting, response headers."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from starlette.responses import Response

from worker.immutable import immutable
from worker.pinecone_local.stats import Count
from worker.pinecone_local.wire import (
    SCHEMA_VERSION,
    ApiVersion,
    Plane,
    Refusal,
    Status,
    error_response,
    json_object,
    json_response,
    plain_response,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from worker.pinecone_local.faults import FaultInjector, FaultRule
    from worker.pinecone_local.stats import Stats

    Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
    Handler: TypeAlias = Callable[["Call"], "Answer"]

_log = logging.getLogger(__name__)

BODY_BYTES_MAX = 64 * 1024 * 1024
"""Bounds memory; Pinecone's own limit of 2 MB counts what is in the body, not its JSON."""
_TOO_MANY_REQUESTS = 429


@immutable
class Call:
    """A request, read."""

    version: ApiVersion
    segments: tuple[str, ...]
    """The path, split at ``/`` and then unquoted."""
    params: QueryParams
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in the body."""
        return json_object(self.raw)


@immutable
class Answer:
    """What a handler gives back; a body of None is an empty one."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    records: int = 0


@immutable
class Route:
    """Who handles an operation, in which plane, for which index (empty: none)."""

    operation: str
    plane: Plane
    handler: Handler
    index: str = ""


class Gateway:
    """Wraps handlers into endpoints."""

    def __init__(self, injector: FaultInjector, stats: Stats, api_key: str = "") -> None:
        self._injector = injector
        self._stats = stats
        self._api_key = api_key

    def endpoint(self, route: Route) -> Endpoint:
        """The ASGI endpoint of an operation."""

        async def serve(request: Request) -> Response:
            raw = await _body(request)
            call = _call(request, raw or b"")
            answer = Answer(None)
            if not self._is_authorized(request):
                response = _unauthorized(call.version, route.plane)
            elif raw is None:
                response = error_response(_too_large(), route.plane)
            else:
                answer, response = await self._answered(route, call)
            response.headers["x-pinecone-request-id"] = str(secrets.randbits(63))
            self._count(route.operation, call, answer, response)
            return response

        return serve

    def _is_authorized(self, request: Request) -> bool:
        given = request.headers.get("api-key", "")
        return bool(given) if not self._api_key else given == self._api_key

    async def _answered(self, route: Route, call: Call) -> tuple[Answer, Response]:
        verdict = self._injector.judge(route.operation, route.index)
        if verdict.delay_s > 0:
            await asyncio.sleep(verdict.delay_s)
        if verdict.rule is not None and not verdict.rule.applied:
            return Answer(None), _failure(verdict.rule, route.plane)
        answer, response = _handled(route, call)
        if verdict.rule is not None:
            return answer, _failure(verdict.rule, route.plane)
        return answer, response

    def _count(self, operation: str, call: Call, answer: Answer, response: Response) -> None:
        failed = response.status_code >= Status.INVALID_ARGUMENT.http or isinstance(
            response, _HangUp
        )
        count = Count(1, int(failed), answer.records, len(call.raw), len(response.body))
        self._stats.add(operation, count)


class _HangUp(Response):
    """Begins an answer and closes the connection in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the signature of ASGI
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def _handled(route: Route, call: Call) -> tuple[Answer, Response]:
    try:
        answer = route.handler(call)
    except Refusal as refusal:
        return Answer(None), error_response(refusal, route.plane)
    except Exception:  # noqa: BLE001 - a defect here must not look like a network failure
        _log.exception("%s failed", route.operation)
        failure = Refusal(Status.INTERNAL, "Internal server error")
        return Answer(None), error_response(failure, route.plane)
    if answer.body is None:
        return answer, Response(b"", answer.status, answer.headers)
    return answer, json_response(answer.body, status=answer.status, headers=answer.headers)


def _failure(rule: FaultRule, plane: Plane) -> Response:
    if rule.status == 0:
        return _HangUp()
    headers = {} if rule.retry_after_s is None else {"retry-after": f"{rule.retry_after_s:g}"}
    if rule.status == _TOO_MANY_REQUESTS:
        return plain_response(rule.message, status=rule.status, headers=headers)
    refusal = Refusal(Status.of_http(rule.status), rule.message, http=rule.status)
    response = error_response(refusal, plane)
    response.headers.update(headers)
    return response


def _unauthorized(version: ApiVersion, plane: Plane) -> Response:
    if plane is Plane.CONTROL and not version.since(SCHEMA_VERSION):
        return error_response(Refusal(Status.UNAUTHENTICATED, "Invalid API key."), plane)
    return plain_response("Unauthorized", status=Status.UNAUTHENTICATED.http)


def _too_large() -> Refusal:
    message = f"Request body exceeds {BODY_BYTES_MAX} bytes"
    return Refusal(Status.PAYLOAD_TOO_LARGE, message)


async def _body(request: Request) -> bytes | None:
    """Read the body; None if it is too large (the rest is read and thrown away)."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= BODY_BYTES_MAX:
            parts.append(part)
    return b"".join(parts) if size <= BODY_BYTES_MAX else None


def _call(request: Request, raw: bytes) -> Call:
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = path.partition(b"?")[0]
    segments = tuple(unquote(part) for part in path.decode("ascii").strip("/").split("/"))
    version = ApiVersion.of(request.headers.get("x-pinecone-api-version"))
    return Call(version, segments, request.query_params, raw)
