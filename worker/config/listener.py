"""Where the worker listens, as Kafka Connect writes it: ``http://localhost:8083``."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator

_PORTS = range(65536)
_SCHEMES = ("http", "https")


class Listener(NamedTuple):
    """An address of this machine."""

    host: str
    """Empty for all of them."""
    port: int
    """0 for any that is free."""
    scheme: str = "http"
    """Or ``https``."""


def listeners_of(text: str) -> tuple[Listener, ...]:
    """Of a comma-separated list, which may be empty.

    Raises:
        ValueError: one of them is not ``http://host:port`` or ``https://host:port``.
    """
    return tuple(_listener(part.strip()) for part in text.split(",") if part.strip())


def _listener(text: str) -> Listener:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        port = None
    if port is None or parts.scheme not in _SCHEMES or parts.path.strip("/") or port not in _PORTS:
        raise ValueError("http://host:port, such as http://localhost:8083 or https://:8443")
    return Listener(parts.hostname or "", port, parts.scheme)


def _checked(text: str) -> str:
    listeners_of(text)
    return text


ListenerList = Annotated[str, AfterValidator(_checked)]
"""Comma-separated; ``listeners_of`` takes it apart."""
