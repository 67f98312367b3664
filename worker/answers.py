"""HTTP answers that go with their last reference."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_whole(answer: httpx.Response) -> None:
    """Read an answer and cut its cycle with the stream it came from; for use as an event hook.

    httpx lets the stream refer to the answer and the answer to the stream. Answers and requests of
    a megabyte each would then wait for Python's cyclic collector, which has seldom reason to run.
    Not for clients that stream.
    """
    answer.read()
    answer.stream = _NOTHING


def read_in_time(answer: httpx.Response) -> None:
    """The same, for as long as the request lets one wait for a part of it.

    httpx knows only how long to wait for the next bytes, so an answer that drips would never end.
    It is awaited so long from its head on, and once more at most for its last bytes. Of a refusal
    the head is enough: it says what to do, and that nothing is billed.

    Raises:
        httpx.RequestError: it takes longer, breaks off, or cannot be unpacked.
    """
    allowed_s = answer.request.extensions.get("timeout", {}).get("read")
    if allowed_s is not None:
        answer.stream = _Timed(answer, time.monotonic() + allowed_s)
    try:
        read_whole(answer)
    except httpx.RequestError:
        if not answer.is_error:
            raise
        answer.close()
        answer.stream, answer._content = _NOTHING, b""  # noqa: SLF001 - no other way


class _Timed(httpx.SyncByteStream):
    """A stream that ends with an error."""

    def __init__(self, answer: httpx.Response, until_s: float) -> None:
        self._request = answer.request
        self._stream = cast("httpx.SyncByteStream", answer.stream)
        self._until_s = until_s

    def __iter__(self) -> Iterator[bytes]:
        """Its parts."""
        for part in self._stream:
            if time.monotonic() > self._until_s:
                raise httpx.ReadTimeout("the answer does not end", request=self._request)
            yield part

    def close(self) -> None:
        """Close the connection if it was not read to its end."""
        self._stream.close()


_NOTHING: Final = httpx.ByteStream(b"")
