"""What a provider's refusal, or its silence, means for the pipeline.

Of what a provider answers only the status and machine-readable names are kept: its sentences may
repeat the text of a row, or the key.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import httpx

from worker.errors import (
    FatalError,
    LimitedError,
    RecordError,
    RetriableError,
    Stage,
    UnansweredError,
)
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.errors import WorkerError

_LIMITED: Final = 429
_PAYMENT: Final = 402
_NOT_FOUND: Final = 404
_TOO_LARGE: Final = 413
_SERVER_ERROR: Final = 500
_KEY: Final = frozenset({401, 403, 498})
"""498 is Cohere's invalid token."""
_TEMPORARY: Final = frozenset({408, 409, 425, 499})
"""499 is Cohere's closed request."""
_REFUSED: Final = frozenset({400, _TOO_LARGE, 422})

_QUOTA_CODES: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
)
_SETTING_CODES: Final = frozenset(
    {"model_not_found", "invalid_model", "unsupported_model", "unknown_parameter",
     "unsupported_parameter", "OperationNotSupported"}
)  # fmt: skip
_TOO_LONG_CODES: Final = frozenset({"context_length_exceeded", "string_above_max_length"})
_SETTINGS: Final = {
    "model": "embedder.model",
    "dimensions": "embedder.dimensions",
    "output_dimension": "embedder.dimensions",
    "encoding_format": "embedder.base.url",
    "api-version": "embedder.api.version",
}
"""By parameter of a request: the key that decides it."""

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


@immutable
class Refusal:
    """An answer that is no success, without its sentences."""

    provider: str
    """For people: ``Cohere``."""
    status: int
    code: str = ""
    """Machine-readable, if the provider has codes."""
    param: str = ""
    """The parameter that it complains about, if it says."""
    retry_after_s: float | None = None

    @property
    def said(self) -> str:
        """One short phrase for messages."""
        parts = [str(self.status), self.code, f"about {self.param}" if self.param else ""]
        return f"{self.provider} answers {' '.join(part for part in parts if part)}"


def name_of(value: object) -> str:
    """A code or parameter if it looks like one; else nothing, as it may be a sentence."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def error_of(refusal: Refusal) -> WorkerError:
    """The worker's error for a refusal; its code is the status."""
    return _error_of(refusal).coded(refusal.status)


def _error_of(refusal: Refusal) -> WorkerError:
    if refusal.status == _PAYMENT or refusal.code in _QUOTA_CODES:
        return FatalError(
            f"{refusal.said}: the quota or credit behind embedder.api.key is used up; settle the "
            f"billing or take another key"
        )
    if refusal.status == _LIMITED:
        return LimitedError(refusal.said, retry_after_s=refusal.retry_after_s)
    if refusal.status in _TEMPORARY or refusal.status >= _SERVER_ERROR:
        return RetriableError(refusal.said, retry_after_s=refusal.retry_after_s)
    if refusal.status in _REFUSED and not _is_about_settings(refusal):
        return RecordError(refusal.said, stage=Stage.EMBED, kind=_kind(refusal))
    return FatalError(f"{refusal.said}: {_advice(refusal)}")


def error_of_transport(provider: str, error: httpx.HTTPError | httpx.InvalidURL) -> WorkerError:
    """The worker's error where no answer came, or none that HTTP could read.

    Its code is httpx's name for it.
    """
    return _error_of_transport(provider, error).coded(type(error).__name__)


def _error_of_transport(provider: str, error: httpx.HTTPError | httpx.InvalidURL) -> WorkerError:
    happened = f"{provider}: {type(error).__name__}"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return FatalError(f"{happened}: embedder.base.url or embedder.api.key cannot be used")
    if isinstance(error, httpx.ConnectError):
        return RetriableError(f"{provider} cannot be reached: {error}")
    if isinstance(error, _NOT_SENT):
        return RetriableError(f"{happened}: it cannot be reached")
    return UnansweredError(f"{happened}: no answer came to a call, which may have been billed")


_NOT_SENT: Final = (
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.WriteError,
    httpx.WriteTimeout,
)
"""The call did not reach the provider, or not as a whole."""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``retry-after-ms`` or ``Retry-After``, which may also be a date; else None."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    return _until(text) if seconds is None else seconds


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(date: str) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _is_about_settings(refusal: Refusal) -> bool:
    return refusal.param in _SETTINGS or refusal.code in _SETTING_CODES


def _kind(refusal: Refusal) -> str:
    is_long = refusal.status == _TOO_LARGE or refusal.code in _TOO_LONG_CODES
    return "TextTooLong" if is_long else "TextRefused"


def _advice(refusal: Refusal) -> str:
    if refusal.status in _KEY:
        return "embedder.api.key is not valid, or may not use this model"
    if refusal.status == _NOT_FOUND:
        return "it does not know the model or the address; check embedder.model, embedder.base.url"
    if _is_about_settings(refusal):
        return f"check {_SETTINGS.get(refusal.param, 'embedder.model')}"
    return "check embedder.base.url"
