"""What is answered over HTTP beside the REST API, path by path, such as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Page(NamedTuple):
    """What a path answers."""

    content_type: str
    body: Callable[[], bytes]
