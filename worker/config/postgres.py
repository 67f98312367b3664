"""The address of a PostgreSQL database, without its login."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator

_SCHEME = re.compile(r"postgres(?:ql)?://")
_NOT_HERE = frozenset({"user", "password", "passfile", "sslpassword", "service"})


def _address(value: str) -> str:
    if not _SCHEME.match(value) or not urlsplit(value).path.strip("/"):
        raise ValueError("postgresql://host:port/database")
    parts = urlsplit(value)
    if "@" in parts.netloc or _NOT_HERE & dict(parse_qsl(parts.query)).keys():
        raise ValueError("an address without login, which has keys of its own: .user and .password")
    return value


PostgresAddress = Annotated[str, AfterValidator(_address)]
"""``postgresql://host:port/database?…``"""
