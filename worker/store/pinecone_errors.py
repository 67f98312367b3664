"""What Pinecone's errors mean for the pipeline.

Statuses as documented at https://docs.pinecone.io/reference/api/errors. The vendor's messages may
quote ids and metadata, so quoted parts are blanked before they go anywhere.
"""

from __future__ import annotations

import re
from typing import Final

import httpx
from pinecone.errors import (
    ApiError,
    ForbiddenError,
    NotFoundError,
    PaymentRequiredError,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    ResponseParsingError,
    UnauthorizedError,
)

from worker.errors import FatalError, RecordError, RetriableError, Stage, WorkerError
from worker.store.creation import MADE_ANEW

FAILURES: Final = (PineconeError, httpx.DecodingError, httpx.InvalidURL)
"""What the client raises; the last two it lets pass as they come from httpx."""

_REFUSED: Final = frozenset({400, 413, 422})
"""The request is wrong, so perhaps one of its points."""

_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "CERTIFICATE_VERIFY_FAILED")
"""OpenSSL's words for what no waiting mends."""

_REQUEST_TIMEOUT = 408
_SERVER_ERROR = 500
_QUOTED = re.compile(r"['\"`].*['\"`]", re.DOTALL)
"""From the first quote to the last, as what is quoted may hold quotes."""
_LONGEST_MESSAGE = 300


def translated(
    error: PineconeError | httpx.DecodingError | httpx.InvalidURL, doing: str
) -> WorkerError:
    """The worker's error for one of the SDK's; ``doing`` says what was tried ("upsert to shop")."""
    if isinstance(error, httpx.InvalidURL):
        return FatalError(f"Pinecone, {doing}: store.url, store.host or the index's own is no URL")
    if isinstance(error, httpx.DecodingError):
        said = f"Pinecone, {doing}: an answer that cannot be unpacked"
        return RetriableError(said).coded(type(error).__name__)
    said = f"Pinecone, {doing}: {blanked(error)}"
    if any(reason in said for reason in _NO_TLS):
        return FatalError(
            f"{said}; store.url (or store.host) begins with https:// where nobody speaks TLS, or "
            "this machine does not trust the certificate"
        )
    if isinstance(error, PineconeConnectionError | PineconeTimeoutError):
        return RetriableError(said).coded(_code(error))
    if isinstance(error, ApiError) and _is_outage(error):
        return RetriableError(said, retry_after_s=_retry_after_s(error)).coded(_code(error))
    return FatalError(f"{said}; {_advice(error)}").coded(_code(error))


def is_refusal(error: Exception) -> bool:
    """Whether a point of the request may be at fault, rather than everything."""
    if isinstance(error, PineconeValueError | PineconeTypeError):
        return True
    return isinstance(error, ApiError) and error.status_code in _REFUSED


def is_about_dimensions(error: PineconeError) -> bool:
    """Whether the vectors have another length than the index takes; what is quoted says nothing."""
    return "dimension" in blanked(error).lower()


def record_error(error: PineconeError) -> RecordError:
    """The error of a point that was refused when it stood alone."""
    status = error.status_code if isinstance(error, ApiError) else None
    kind = "PointTooLarge" if status == 413 else "PointRefused"  # noqa: PLR2004 - Payload Too Large
    return RecordError(
        f"Pinecone refuses the point: {blanked(error)}", stage=Stage.STORE, kind=kind
    )


def blanked(error: PineconeError) -> str:
    """The vendor's message without what it quotes, which may be the content of a row."""
    status = f"{error.status_code} " if isinstance(error, ApiError) else ""
    message = _QUOTED.sub("'…'", error.message)
    return f"{status}{message[:_LONGEST_MESSAGE]}"


def _code(error: PineconeError) -> int | str:
    return error.status_code if isinstance(error, ApiError) else type(error).__name__


def _is_outage(error: ApiError) -> bool:
    status = error.status_code
    return (
        isinstance(error, RateLimitError) or status == _REQUEST_TIMEOUT or status >= _SERVER_ERROR
    )


def _retry_after_s(error: ApiError) -> float | None:
    """Seconds of a Retry-After header; a date or nonsense counts as none."""
    try:
        seconds = float((error.headers or {}).get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _advice(error: PineconeError) -> str:
    if isinstance(error, UnauthorizedError):
        return "store.api.key is not valid for this project"
    if isinstance(error, ForbiddenError):
        return "store.api.key may not do this, or a quota is used up"
    if isinstance(error, PaymentRequiredError):
        return "the organisation's billing has to be settled"
    if isinstance(error, NotFoundError):
        return f"perhaps the index of store.index is gone: {MADE_ANEW}"
    if isinstance(error, ResponseParsingError):
        return "store.url does not seem to speak API version 2026-07"
    return "check the store.* settings"
