"""Clients over httpx's own transport and over ours, which nobody must be able to tell apart."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from worker.tls import late
from worker.wire.transport import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Hook: TypeAlias = Callable[[httpx.Response], None]

HTTPX = "httpx"
OURS = "ours"
both = pytest.mark.parametrize("kind", [HTTPX, OURS])


def client(
    kind: str,
    *,
    trust: ssl.SSLContext | None = None,
    idle_s: float = 30.0,
    timeout: httpx.Timeout | float = 10.0,
    hook: Hook | None = None,
) -> httpx.Client:
    hooks = {"response": [hook]} if hook else {}
    used = _transport(kind, trust or late(ssl.create_default_context), idle_s)
    return httpx.Client(transport=used, timeout=timeout, event_hooks=hooks)


def failure(call: Callable[[], object]) -> httpx.TransportError:
    """What a call ends with."""
    with pytest.raises(httpx.TransportError) as raised:
        call()
    return raised.value


def _transport(kind: str, trust: ssl.SSLContext, idle_s: float) -> httpx.BaseTransport:
    if kind == OURS:
        return Wire(trust, idle_s)
    limits = httpx.Limits(max_connections=None, keepalive_expiry=idle_s)
    return httpx.HTTPTransport(verify=trust, limits=limits)
