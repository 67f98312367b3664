"""How answers look on the wire: API versions, error bodies per plane, response headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = "2026-07"
"""The first API version that describes an index by ``schema`` and ``deployment``."""
DEFAULT_NAMESPACE_VERSION = "2025-04"
"""The first API version that calls the unnamed namespace ``__default__`` in statistics."""
READ_CAPACITY_VERSION = "2025-10"
"""The first API version whose classic index description has ``read_capacity``."""
OLDEST_VERSION = "2024-07"
"""What a request without a version header is taken for."""

_DATE = re.compile(r"^\d{4}-\d{2}$")


@dataclass(frozen=True, slots=True, order=True)
class ApiVersion:
    """The version a request asked for; later versions compare greater."""

    date: str

    @classmethod
    def of(cls, header: str | None) -> ApiVersion:
        """Read ``X-Pinecone-Api-Version``; what is no date counts as the oldest version."""
        date = (header or "").strip()
        return cls(date if _DATE.match(date) else OLDEST_VERSION)

    def since(self, date: str) -> bool:
        """Whether this version is the named one or a later one."""
        return self.date >= date


class Status(Enum):
    """A canonical error: name, HTTP status, number in ``google.rpc.Code``."""

    INVALID_ARGUMENT = (400, 3)
    UNAUTHENTICATED = (401, 16)
    FORBIDDEN = (403, 7)
    NOT_FOUND = (404, 5)
    ALREADY_EXISTS = (409, 6)
    FAILED_PRECONDITION = (412, 9)
    PAYLOAD_TOO_LARGE = (413, 11)
    UNPROCESSABLE_ENTITY = (422, 3)
    RESOURCE_EXHAUSTED = (429, 8)
    INTERNAL = (500, 13)
    UNIMPLEMENTED = (501, 12)
    SERVICE_UNAVAILABLE = (503, 14)
    DEADLINE_EXCEEDED = (504, 4)

    @property
    def http(self) -> int:
        """The HTTP status."""
        return int(self.value[0])

    @property
    def rpc(self) -> int:
        """The number of ``google.rpc.Code``."""
        return int(self.value[1])

    @classmethod
    def of_http(cls, http: int) -> Status:
        """The canonical error of an HTTP status; 400 and 500 stand in for their classes."""
        fallback = cls.INVALID_ARGUMENT if http < cls.INTERNAL.http else cls.INTERNAL
        return next((status for status in cls if status.http == http), fallback)


class Plane(Enum):
    """Who answers, which decides the shape of an error body."""

    CONTROL = "control"
    VECTORS = "vectors"
    DOCUMENTS = "documents"


class Refusal(Exception):  # noqa: N818 - it is an answer of the server, not a defect
    """A request that is answered with an error; ``http`` overrides the status of the code."""

    def __init__(self, status: Status, message: str, *, http: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.http = status.http if http is None else http


def invalid(message: str) -> Refusal:
    """Refuse a malformed request (400)."""
    return Refusal(Status.INVALID_ARGUMENT, message)


def error_response(refusal: Refusal, plane: Plane) -> Response:
    """Put a refusal into the body that the plane uses."""
    body: dict[str, Any]
    if plane is Plane.VECTORS:
        body = {"code": refusal.status.rpc, "message": refusal.message, "details": []}
    else:
        error = {"code": refusal.status.name, "message": refusal.message}
        body = {"error": error, "status": refusal.http}
    return json_response(body, status=refusal.http)


def json_response(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Encode a body; numpy float32 values come out as their shortest decimal form."""
    encoded = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(encoded, status, headers, media_type="application/json")


def plain_response(text: str, *, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer as the authentication and rate-limit layer does: with plain text."""
    return Response(text, status, headers, media_type="text/plain")


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a request body that has to be a JSON object; an empty body is an empty object."""
    if not body.strip():
        return {}
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"Request body is not valid JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise invalid("Request body must be a JSON object")
    return parsed
