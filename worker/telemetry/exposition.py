"""What is shown over HTTP as it is, beside the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Page(NamedTuple):
    """What a path answers; ``body`` is asked anew each time, from any thread."""

    content_type: str
    body: Callable[[], bytes]
