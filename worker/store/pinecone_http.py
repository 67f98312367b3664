"""Pinecone's client over our transport.

The client makes a transport of httpx for itself, which loads httpcore, h11 and h2: 30 ms of CPU at
every start, for connections that are never used. So while it is made, what it takes for httpx has
another ``HTTPTransport``. Who makes one beside it gets ours as well, which serves as well.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import httpx
from pinecone._internal import http_client

from worker.tls import trusted
from worker.wire.transport import transport

if TYPE_CHECKING:
    from collections.abc import Iterator

_making = threading.Lock()


@contextmanager
def over_wire() -> Iterator[None]:
    """Clients made within the block have our transport."""
    with _making:
        http_client.httpx = _wired()  # type: ignore[attr-defined]  # not for others
        try:
            yield
        finally:
            http_client.httpx = httpx  # type: ignore[attr-defined]


def _wired() -> ModuleType:
    made = ModuleType("httpx")
    vars(made).update({**vars(httpx), "HTTPTransport": _transport})
    return made


def _transport(**_given: object) -> httpx.BaseTransport:
    return transport(trusted())
