"""Pagination tokens: the last item of a page, in base64."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from worker.pinecone_local.wire import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence


def after_token(token: object) -> str:
    """The item after which a page begins; empty for the first page."""
    if not token:
        return ""
    if not isinstance(token, str):
        raise invalid("Invalid pagination token: not a string")
    try:
        return base64.b64decode(token, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise invalid(f"Invalid pagination token: {token}") from error


def page_of(items: Sequence[str], limit: int) -> tuple[Sequence[str], dict[str, Any]]:
    """The first ``limit`` of more items, and the ``pagination`` member if there are more."""
    if len(items) <= limit:
        return items, {}
    page = items[:limit]
    token = base64.b64encode(page[-1].encode("ascii")).decode("ascii")
    return page, {"pagination": {"next": token}}
