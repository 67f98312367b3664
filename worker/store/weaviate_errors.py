"""What Weaviate's errors mean for the pipeline.

Over REST the status says it. Over gRPC nearly everything has the code UNKNOWN, so the sentence has
to be read; what nobody knows counts as an outage, which is repeated and never empties a topic into
the DLQ, also where it is said of a single object. Messages quote what was sent, so quoted parts are
blanked.
"""

from __future__ import annotations

import re
from typing import Final

import grpc
import httpx

from worker.errors import FatalError, RecordError, RetriableError, Stage, WorkerError
from worker.store.creation import MADE_ANEW

FAILURES: Final = (httpx.HTTPError, httpx.InvalidURL, grpc.RpcError)
"""Everything that a request raises when it has failed."""

_GONE: Final = f"if the collection of store.index is gone, {MADE_ANEW}"
_ADVICE: Final = {
    401: "store.api.key is not valid here",
    403: "store.api.key may not do this",
    404: f"check store.url; {_GONE}",
}
_TOO_MANY: Final = 429
_REQUEST_TIMEOUT: Final = 408
_SERVER_ERROR: Final = 500
_REFUSED: Final = {
    grpc.StatusCode.UNAUTHENTICATED: "store.api.key is not valid here",
    grpc.StatusCode.PERMISSION_DENIED: "store.api.key may not do this",
    grpc.StatusCode.UNIMPLEMENTED: "store.grpc.address does not seem to be a Weaviate server's",
}
_NO_COLLECTION: Final = (
    "could not find class",
    "class not found",
    "not present in schema",
    "multi-tenancy disabled",
)
"""The last of them after a collection was dropped, as the server then makes one of its own."""
_OTHER_LENGTH: Final = ("vector length", "with length", "wrong size", "dimensions do not match")
"""Not "dimension", as the server counts those and its disk may be full then."""
_OF_THE_OBJECT: Final = re.compile(r"invalid [\w\[\] ]*property\b")
"""How the server's validation begins about a value that is not of the property's type. "invalid"
alone would not do, which the system says of an argument or a memory address."""
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "CERTIFICATE_VERIFY_FAILED")
"""OpenSSL's words for what no waiting mends."""
_QUOTED = re.compile(r"['\"`].*['\"`]", re.DOTALL)
"""From the first quote to the last, as what is quoted may hold quotes."""
_LONGEST_MESSAGE = 300


def translated(error: Exception, doing: str) -> WorkerError:
    """The worker's error for a request that failed; ``doing`` says what was tried."""
    words = blanked(sentence(error))
    said = f"Weaviate, {doing}: {words}"
    if isinstance(error, httpx.HTTPStatusError):
        return _by_status(error.response, said)
    if isinstance(error, grpc.RpcError):
        return _by_code(error, said)
    if any(reason in words for reason in _NO_TLS) or not isinstance(error, httpx.TransportError):
        return FatalError(
            f"{said}; check store.url, whether TLS is spoken there, and the certificate"
        )
    return RetriableError(said).coded(type(error).__name__)


def sentence(error: Exception) -> str:
    """What the server said."""
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name} {error.details()}"
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.response.status_code} {_said(error.response)}"
    return str(error) or type(error).__name__


def is_about_tenant(error: Exception) -> bool:
    """Whether the namespace does not exist, and so has no points."""
    return isinstance(error, grpc.RpcError) and "tenant not found" in sentence(error)


def is_unknown(error: Exception) -> bool:
    """Whether the code says nothing, as for a filter that the server does not take."""
    return isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.UNKNOWN


def is_about_dimensions(said: str) -> bool:
    """Whether the vectors have another length than those of the collection.

    ``said`` is ``blanked``, here and below, as the words of a row may be the same.
    """
    return any(words in said for words in _OTHER_LENGTH)


def is_about_collection(said: str) -> bool:
    """Whether the collection has gone."""
    return any(words in said for words in _NO_COLLECTION)


def is_left_over(said: str) -> bool:
    """Whether the server has made the collection by itself, out of a point for one that is gone."""
    return "multi-tenancy disabled" in said


def is_of_object(said: str) -> bool:
    """Whether it is known to be about the object itself; nobody knows what else is."""
    return _OF_THE_OBJECT.match(said) is not None


def record_error(said: str) -> RecordError:
    """The error of a point that the server refuses."""
    return RecordError(
        f"Weaviate refuses the point: {blanked(said)}", stage=Stage.STORE, kind="PointRefused"
    )


def blanked(said: str) -> str:
    """The server's sentence without what it quotes, which may be the content of a row."""
    return _QUOTED.sub("'…'", said)[:_LONGEST_MESSAGE]


def _by_status(response: httpx.Response, said: str) -> WorkerError:
    status = response.status_code
    if status in (_REQUEST_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR:
        return RetriableError(said, retry_after_s=_retry_after_s(response)).coded(status)
    return FatalError(f"{said}; {_ADVICE.get(status, 'check the store.* settings')}").coded(status)


def _by_code(error: grpc.RpcError, said: str) -> WorkerError:
    code = error.code()
    if code in _REFUSED:
        return FatalError(f"{said}; {_REFUSED[code]}").coded(code.name)
    words = blanked(str(error.details()))  # without what was tried, which names a namespace
    if "unauthorized" in words or "forbidden" in words:
        return FatalError(f"{said}; check store.api.key").coded(code.name)
    if is_about_collection(words):
        return FatalError(f"{said}; {_GONE}").coded(code.name)
    return RetriableError(said).coded(code.name)


def _said(response: httpx.Response) -> str:
    """The messages of ``{"error": [{"message": …}]}``; of anything else, the status in words."""
    try:
        return "; ".join(str(one["message"]) for one in response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
