"""What is shown over HTTP as it is, beside the REST API."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


def _well() -> HTTPStatus:
    return HTTPStatus.OK


class Page(NamedTuple):
    """What a path answers; asked anew each time, from any thread."""

    content_type: str
    body: Callable[[], bytes]
    status: Callable[[], HTTPStatus] = _well
