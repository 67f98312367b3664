"""HTTP answers that go with their last reference."""

from __future__ import annotations

from typing import Final

import httpx


def read_whole(answer: httpx.Response) -> None:
    """Read an answer and cut its cycle with the stream it came from; for use as an event hook.

    httpx lets the stream refer to the answer and the answer to the stream. Answers and requests of
    a megabyte each would then wait for Python's cyclic collector, which has seldom reason to run.
    Not for clients that stream.
    """
    answer.read()
    answer.stream = _NOTHING


_NOTHING: Final = httpx.ByteStream(b"")
