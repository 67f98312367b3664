"""Who may ask: HTTP Basic where a user is set, and no page of another site in a browser."""

from __future__ import annotations

import base64
import binascii
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from worker.rest.call import RefusedError

if TYPE_CHECKING:
    from pydantic import SecretStr
    from starlette.requests import Request

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = frozenset({"/health", "/health/live", "/health/ready"})
"""Kubernetes asks without a password."""
_CHALLENGE = {"www-authenticate": 'Basic realm="vecsink", charset="UTF-8"'}


class Guard:
    """Lets requests pass or refuses them."""

    def __init__(self, user_info: SecretStr | None) -> None:
        self._user_info = user_info.get_secret_value().encode() if user_info else None

    def check(self, request: Request, path: str) -> None:
        """Do nothing for who may ask; ``path`` is as it was sent.

        Raises:
            RefusedError: 401 without the right password, 403 from a page of another site.
        """
        if path.removesuffix("/") not in _OPEN and not self._knows(request):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, _CHALLENGE)
        if request.method not in _READING and _is_foreign(request):
            raise RefusedError(HTTPStatus.FORBIDDEN)

    def _knows(self, request: Request) -> bool:
        if self._user_info is None:
            return True
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and secrets.compare_digest(given, self._user_info)


def _is_foreign(request: Request) -> bool:
    """Whether a page of another site asks; clients that are no browsers say nothing of sites.

    Browsers leave the first header out where the address is neither HTTPS nor this machine.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"cross-site", "same-site"}
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
