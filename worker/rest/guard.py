"""Who may ask: HTTP Basic where a user is set, and no page of another site in a browser."""

from __future__ import annotations

import base64
import binascii
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from worker.rest.call import RefusedError

if TYPE_CHECKING:
    from pydantic import SecretStr
    from starlette.requests import Request

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = "/health"
"""Kubernetes asks without a password."""
_CHALLENGE = {"www-authenticate": 'Basic realm="vecsink", charset="UTF-8"'}


class Guard:
    """Lets requests pass or refuses them."""

    def __init__(self, user_info: SecretStr | None) -> None:
        self._user_info = user_info.get_secret_value().encode() if user_info else None

    def check(self, request: Request) -> None:
        """Do nothing for who may ask.

        Raises:
            RefusedError: 401 without the right password, 403 from a page of another site.
        """
        if not self._knows(request):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, _CHALLENGE)
        is_foreign = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if is_foreign and request.method not in _READING:
            raise RefusedError(HTTPStatus.FORBIDDEN)

    def _knows(self, request: Request) -> bool:
        path = request.url.path
        if self._user_info is None or path == _OPEN or path.startswith(f"{_OPEN}/"):
            return True
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and secrets.compare_digest(given, self._user_info)
