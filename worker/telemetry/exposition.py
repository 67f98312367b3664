"""What is answered over HTTP beside the REST API, path by path, such as metrics."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NONE: Mapping[str, str] = MappingProxyType({})


class Page(NamedTuple):
    """What a path answers."""

    content_type: str
    body: Callable[[], bytes]
    headers: Mapping[str, str] = _NONE
    status: HTTPStatus = HTTPStatus.OK
