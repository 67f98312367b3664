"""What is sent for a request, with h11's checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(rb"(?![ \t])[^\0\n\v\f\r]*(?<![ \t])")
_TARGET: Final = re.compile(rb"[!-~]+")


def pieces(request: httpx.Request) -> Iterator[bytes]:
    """The head, and the body as it is made.

    Raises:
        httpx.LocalProtocolError: HTTP cannot express it. Nothing is quoted: there is a key in it.
    """
    left = _length(request.headers)
    yield _head(request)
    stream = cast("httpx.SyncByteStream", request.stream)
    if "transfer-encoding" in request.headers:
        yield from _chunks(stream)
        return
    for part in stream:
        left -= len(part)
        if left < 0:
            break
        yield part
    if left:
        raise httpx.LocalProtocolError("the body is not as long as its Content-Length")


def _head(request: httpx.Request) -> bytes:
    method, target, fields = request.method.encode(), request.url.raw_path, request.headers.raw
    if not (_NAME.fullmatch(method) and _TARGET.fullmatch(target)):
        raise httpx.LocalProtocolError("a method or URL that cannot be sent")
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in fields):
        raise httpx.LocalProtocolError("a header that cannot be sent")
    lines = [b"%b: %b\r\n" % field for field in fields]
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, b"".join(lines))


def _chunks(stream: httpx.SyncByteStream) -> Iterator[bytes]:
    for part in filter(None, stream):
        yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def _length(headers: httpx.Headers) -> int:
    said = headers.get("content-length", "0")
    if not (said.isascii() and said.isdigit()):
        raise httpx.LocalProtocolError("Content-Length is no number")
    return int(said)
