"""Namespaces as names of tenants, which have 1 to 64 letters, digits, hyphens and underscores.

Everything else becomes an underscore and two hexadecimal digits for each byte of UTF-8, so that
``shop.public`` is ``shop_2epublic``; the empty namespace is a single underscore.
"""

from __future__ import annotations

import re
from typing import Final

from worker.errors import FatalError

_ESCAPED: Final = re.compile(r"[^A-Za-z0-9-]")
_ESCAPES: Final = re.compile(r"(?:_[0-9a-f]{2})+")
_LONGEST: Final = 64


def tenant_of(namespace: str) -> str:
    """The tenant of a namespace.

    Raises:
        FatalError: its name would be too long, or cannot be written in UTF-8.
    """
    try:
        tenant = _ESCAPED.sub(_escape, namespace) or "_"
    except UnicodeEncodeError:
        raise FatalError("store.namespace holds half a character that UTF-8 cannot write") from None
    if len(tenant) > _LONGEST:
        raise FatalError(
            f"{namespace!r} cannot be a Weaviate tenant: {tenant} has more than {_LONGEST} "
            "characters: change store.namespace"
        )
    return tenant


def namespace_of(tenant: str) -> str:
    """The namespace of a tenant; the name itself if it is none of ours."""
    if tenant == "_":
        return ""
    namespace = _ESCAPES.sub(_unescape, tenant)
    return namespace if _ESCAPED.sub(_escape, namespace) == tenant else tenant


def _escape(found: re.Match[str]) -> str:
    return "".join(f"_{byte:02x}" for byte in found[0].encode())


def _unescape(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("_", "")).decode(errors="replace")
