"""Whom connections trust, read when the first one is encrypted and once for all clients."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import httpx

from worker.errors import FatalError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable


@cache
def trusted() -> ssl.SSLContext:
    """What httpx would make for every client anew, which takes 25 ms of CPU each time."""
    return late(httpx.create_ssl_context)


def late(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What ``make`` makes, as soon as something of it is asked for; httpx asks when it connects."""
    return cast("ssl.SSLContext", _Late(make))


class _Late:
    """Stands for a context. Thread-safe: at worst it is made twice, and one is kept."""

    __slots__ = ("_made", "_make")  # what is set here and not there would be in vain

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        self._make = make
        self._made: ssl.SSLContext | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a context has
        if self._made is None:
            try:
                self._made = self._make()
            except OSError as error:  # also ssl.SSLError
                raise FatalError(
                    "the certificate authorities cannot be read; see SSL_CERT_FILE and "
                    f"SSL_CERT_DIR ({type(error).__name__})"
                ) from error
        return getattr(self._made, name)
