"""httpx's own transports, through the proxies that the environment names.

A client of httpx looks at the environment only where it is given no transport, and Pinecone's gives
it one; so here another client looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from worker.errors import FatalError

if TYPE_CHECKING:
    import ssl

_KEPT: Final = 64
"""Idle connections; more than the calls of an account side by side."""


class Proxied(httpx.BaseTransport):
    """Thread-safe."""

    def __init__(self, trust: ssl.SSLContext, idle_s: float) -> None:
        """A connection that was not used for ``idle_s`` seconds is not used any more.

        Raises:
            FatalError: there is no way through such a proxy.
        """
        # Calls side by side are bounded by whoever makes them, so none waits for a connection.
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=_KEPT, keepalive_expiry=idle_s
        )
        try:
            self._client = httpx.Client(verify=trust, limits=limits)
        except (ImportError, ValueError, httpx.InvalidURL):  # which may quote a password
            raise FatalError(
                "the proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or what NO_PROXY says, cannot "
                "be used: expected http:// or https:// and a host, and for socks5:// httpx's extra "
                "(pip install 'httpx[socks]')"
            ) from None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Over the transport that the environment wants for this address."""
        chosen = self._client._transport_for_url(request.url)  # noqa: SLF001 - no other way
        return chosen.handle_request(request)

    def close(self) -> None:
        """All of them."""
        self._client.close()
