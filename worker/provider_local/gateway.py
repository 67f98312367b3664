"""What every call passes: faults, key, checks, limits per minute, the work, counting."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import orjson
from starlette.responses import Response

from worker.immutable import immutable
from worker.provider_local.faults import Fate, Kind
from worker.provider_local.job import Call, Refusal, read_object
from worker.provider_local.vectors import vectors_of
from worker.provider_local.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from numpy.typing import NDArray
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from worker.clock import Clock
    from worker.provider_local.counters import Counters
    from worker.provider_local.dialect import Dialect
    from worker.provider_local.faults import FaultInjector, FaultRule
    from worker.provider_local.job import Job

    Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)

_PACKED = re.compile(rb'"([A-Za-z0-9+/]{40,}=*)"')
_ERROR = 400
_LIMITED = 429
_JSON = "application/json"


@immutable
class Surroundings:
    """What the calls share."""

    injector: FaultInjector
    counters: Counters
    clock: Clock
    api_key: str = ""
    """The only key that is accepted; empty: any key, but there has to be one."""


class Gateway:
    """Wraps a provider's dialect into endpoints."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._windows = Windows(around.clock)

    def embed(self, dialect: Dialect) -> Endpoint:
        """The endpoint that makes vectors."""

        async def serve(request: Request) -> Response:
            client = request.client or ("", 0)
            with self._around.counters.call(dialect.name, (client[0], client[1])) as count:
                raw = await request.body()
                response = await self._answered(dialect, request, raw)
                count.bytes_in = len(raw)
                count.bytes_out = len(response.body)
                count.limited = int(response.status_code == _LIMITED)
                count.errors = int(response.status_code >= _ERROR or isinstance(response, _HangUp))
            return response

        return serve

    def models(self, dialect: Dialect) -> Endpoint:
        """The endpoint that lists models, which is how a key is tried out for free."""

        async def serve(request: Request) -> Response:
            try:
                self._account(dialect, request)
            except Refusal as refusal:
                return _error(dialect, refusal)
            return Response(orjson.dumps(dialect.models()), media_type=_JSON)

        return serve

    async def _answered(self, dialect: Dialect, request: Request, raw: bytes) -> Response:
        delay_s, rule = self._around.injector.judge(dialect.name)
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        if rule is not None and rule.is_failure and not rule.applied:
            return _failed(dialect, rule)
        try:
            return self._worked(dialect, request, raw, rule)
        except Refusal as refusal:
            return _error(dialect, refusal)

    def _worked(
        self, dialect: Dialect, request: Request, raw: bytes, rule: FaultRule | None
    ) -> Response:
        account = self._account(dialect, request)
        job = dialect.read(Call(request.path_params, request.query_params, read_object(raw)))
        limit = self._around.injector.faults.per_minute
        wait_s = self._windows.admit(account, limit, job)
        headers = self._windows.headers(account, limit)
        if wait_s is not None:
            refusal = Refusal(_LIMITED, "Rate limit reached", code="rate_limit_exceeded")
            waiting = {"retry-after": f"{wait_s:.3f}", "retry-after-ms": f"{wait_s * 1000:.0f}"}
            return _error(dialect, refusal, {**headers, **waiting})
        vectors = self._made(job)
        self._around.counters.paid(dialect.name, job)
        if rule is not None and rule.is_failure:
            return _failed(dialect, rule)
        return _answer(dialect, job, vectors, rule, headers)

    def _account(self, dialect: Dialect, request: Request) -> tuple[str, str]:
        key = dialect.key(request.headers)
        wanted = self._around.api_key
        if key is not None and (not key or (wanted and key != wanted)):
            raise Refusal(401, f"Incorrect API key provided: {key}")
        return dialect.name, key or ""

    def _made(self, job: Job) -> NDArray[np.float32]:
        vectors = vectors_of(
            job.texts, model=job.model, length=job.length, input_type=job.input_type
        )
        for part, fate in self._around.injector.faults.markers.items():
            for at, text in enumerate(job.texts):
                if part not in text:
                    continue
                if fate is Fate.REFUSED:
                    raise Refusal(400, f"the text cannot be embedded: {text}")
                vectors[at] = np.nan if fate is Fate.NAN else 0
        return vectors


class _HangUp(Response):
    """Begins an answer and closes the connection in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the signature of ASGI
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def _answer(
    dialect: Dialect,
    job: Job,
    vectors: NDArray[np.float32],
    rule: FaultRule | None,
    headers: dict[str, str],
) -> Response:
    kind = Kind.SLOW if rule is None else rule.kind
    vectors = _distorted(vectors, kind)
    order = range(len(vectors))
    body = dialect.answer(job, vectors, order[::-1] if kind is Kind.SHUFFLED else order)
    if kind is Kind.GARBAGE:
        body = b"<html>"
    if kind is Kind.TORN:
        body = _PACKED.sub(rb'"!\1"', body)
    return Response(body, headers=headers, media_type=_JSON)


def _distorted(vectors: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    if kind is Kind.MISSING:
        return vectors[:-1]
    if kind is Kind.EXTRA:
        return np.concatenate([vectors, vectors[:1]])
    if kind is Kind.WRONG_LENGTH:
        return vectors[:, :-1]
    if kind is Kind.NAN:
        return np.full_like(vectors, np.nan)
    if kind is Kind.ZERO:
        return np.zeros_like(vectors)
    return vectors


def _failed(dialect: Dialect, rule: FaultRule) -> Response:
    if rule.kind is Kind.CUT:
        return _HangUp()
    refusal = Refusal(rule.status, rule.message, code=rule.code, param=rule.param)
    return _error(dialect, refusal, rule.headers)


def _error(dialect: Dialect, refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    body = orjson.dumps(dialect.failure(refusal))
    return Response(body, refusal.status, headers, media_type=_JSON)
