"""What Qdrant's errors mean for the pipeline, over REST and over gRPC.

Statuses as in ``lib/api/src/grpc`` and ``src/actix`` of https://github.com/qdrant/qdrant. Messages
may quote what was sent, so quoted parts are blanked before they go anywhere.
"""

from __future__ import annotations

import json
import re
from typing import Final

import grpc
import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from worker.errors import ConfigError, FatalError, RecordError, RetriableError, Stage, WorkerError
from worker.store.creation import MADE_ANEW

FAILURES: Final = (ApiException, QdrantException, grpc.RpcError, json.JSONDecodeError)
"""Everything that a call of the client raises when it has failed."""

_REFUSED: Final = frozenset({400, 413, 422})
"""The request is wrong, so perhaps one of its points."""
_CONFLICT: Final = 409
_MISSING: Final = 404
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_REQUEST_TIMEOUT: Final = 408
_SERVER_ERROR: Final = 500

_STATUSES: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: _MISSING,
    grpc.StatusCode.ALREADY_EXISTS: _CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: _TOO_MANY,
    grpc.StatusCode.UNIMPLEMENTED: 405,
}
"""The HTTP status that says the same; what is not here is an outage."""

_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "CERTIFICATE_VERIFY_FAILED")
"""OpenSSL's words for what no waiting mends."""
_QUOTE: Final = r"""(?!(?<=n)'t\b)['"`]"""
"""Of "does not exist", Qdrant says it with an apostrophe."""
_QUOTED = re.compile(f"{_QUOTE}.*{_QUOTE}", re.DOTALL)
"""From the first quote to the last, as what is quoted may hold quotes."""
_LONGEST_MESSAGE = 300

_ADVICE: Final = {
    401: "store.api.key is not valid here",
    403: "store.api.key may not do this",
    _MISSING: f"check store.url; if the collection of store.index is gone, {MADE_ANEW}",
}


def translated(error: Exception, doing: str) -> WorkerError:
    """The worker's error for one of the client's; ``doing`` says what was tried."""
    said = f"Qdrant, {doing}: {blanked(error)}"
    status = status_of(error)
    if status is None:
        return _without_answer(error, said)
    if status in (_REQUEST_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR:
        return RetriableError(said, retry_after_s=_retry_after_s(error)).coded(status)
    advice = _ADVICE.get(status, "check the store.* settings")
    return FatalError(f"{said}; {advice}").coded(status)


def status_of(error: Exception) -> int | None:
    """The HTTP status, or the one that says the same as gRPC's; None without an answer."""
    if isinstance(error, UnexpectedResponse):
        return error.status_code
    if isinstance(error, QdrantException):
        return _TOO_MANY
    if isinstance(error, grpc.RpcError):
        return _STATUSES.get(error.code(), _SERVER_ERROR)
    return None


def is_missing(error: Exception) -> bool:
    """Whether the collection does not exist."""
    return status_of(error) == _MISSING


def is_conflict(error: Exception) -> bool:
    """Whether somebody else has made it in the meantime."""
    return status_of(error) == _CONFLICT or "already exists" in blanked(error)


def is_refusal(error: Exception) -> bool:
    """Whether a point of the request may be at fault, rather than everything."""
    return status_of(error) in _REFUSED


def is_about_dimensions(error: Exception) -> bool:
    """Whether the vectors have another length than the collection takes."""
    return "dimension" in blanked(error).lower()


def record_error(error: Exception) -> RecordError:
    """The error of a point that was refused when it stood alone."""
    kind = "PointTooLarge" if status_of(error) == _TOO_LARGE else "PointRefused"
    return RecordError(f"Qdrant refuses the point: {blanked(error)}", stage=Stage.STORE, kind=kind)


def blanked(error: Exception) -> str:
    """The server's message without what it quotes, which may be the content of a row."""
    status = status_of(error)
    said = _QUOTED.sub("'…'", _message(error))[:_LONGEST_MESSAGE]
    return said if status is None else f"{status} {said}"


def _message(error: Exception) -> str:
    if isinstance(error, UnexpectedResponse):
        return _said(error)
    if isinstance(error, grpc.RpcError):
        return str(error.details())
    if isinstance(error, ResponseHandlingException):
        source = error.source
        return str(source) if isinstance(source, httpx.HTTPError) else type(source).__name__
    return str(error) if isinstance(error, QdrantException) else type(error).__name__


def _said(error: UnexpectedResponse) -> str:
    """The message of ``{"status": {"error": …}}``; of anything else, the status in words."""
    try:
        said = error.structured()["status"]["error"]
    except (ValueError, KeyError, TypeError):
        said = error.reason_phrase
    return str(said)


def _without_answer(error: Exception, said: str) -> WorkerError:
    source = error.source if isinstance(error, ResponseHandlingException) else error
    if isinstance(source, WorkerError):  # from below the client
        return source
    if any(reason in said for reason in _NO_TLS):
        return FatalError(
            f"{said}; store.url begins with https:// where nobody speaks TLS, or this machine does "
            "not trust the certificate"
        )
    if isinstance(source, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ConfigError(f"store.url: expected an address such as http://host:6333 ({said})")
    if isinstance(source, httpx.TransportError | httpx.DecodingError):
        return RetriableError(said or type(source).__name__).coded(type(source).__name__)
    return FatalError(f"{said}; store.url does not seem to be a Qdrant server's")


def _retry_after_s(error: Exception) -> float | None:
    if isinstance(error, ResourceExhaustedResponse) and error.retry_after_s >= 0:
        return float(error.retry_after_s)
    if isinstance(error, UnexpectedResponse):
        return _seconds(error.headers.get("Retry-After", ""))
    return None


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
