"""The certificate authorities that are trusted by default, read once for all clients."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


@cache
def trusted() -> ssl.SSLContext:
    """What httpx would make for every client anew, which takes 25 ms of CPU each time."""
    return httpx.create_ssl_context()
