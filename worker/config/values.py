"""Types of settings that people write in more than one way: lists, byte sizes, names."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_SHARE = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")
_UNITS = {
    "": 1, "b": 1,
    "k": 1024, "kb": 1000, "kib": 1024,
    "m": 1024**2, "mb": 1000**2, "mib": 1024**2,
    "g": 1024**3, "gb": 1000**3, "gib": 1024**3,
}  # fmt: skip


def topic_name(text: str) -> str:
    """A topic name that Kafka allows (``org.apache.kafka.common.internals.Topic``).

    Raises:
        ValueError: it does not.
    """
    if not _TOPIC.fullmatch(text) or text in {".", ".."}:
        raise ValueError("letters, digits, '.', '_' and '-' in a topic name, at most 249")
    return text


def _plain_name(value: object) -> object:
    if isinstance(value, str) and not _PLAIN_NAME.fullmatch(value):
        raise ValueError("letters, digits, '.', '_' and '-', at most 200, no '.' or '-' at first")
    return value


def _topics(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = [name.strip() for name in value.split(",")]
    names = [topic_name(name) for name in names if name]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"every topic once, but {', '.join(repeated)} is repeated")
    return tuple(names)


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError("a number of bytes such as 2097152, '2 MiB' or '2mb'")
    return int(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit


class FailureLimit(NamedTuple):
    """So many of the last so many records may fail."""

    failures: int
    records: int

    def __str__(self) -> str:
        return f"{self.failures}/{self.records}"


def _failure_limit(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SHARE.fullmatch(value.strip())
    if found is None or not 0 <= int(found[1]) <= int(found[2]) or not int(found[2]):
        raise ValueError("failures of the last records, such as 100/1000")
    return FailureLimit(int(found[1]), int(found[2]))


def _regex(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "(?" in value or re.search(r"\\[dDbBpP]", value):
        raise ValueError(
            "a POSIX extended regular expression (librdkafka's): write [0-9] for \\d, "
            "and no (?…) groups"
        )
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a regular expression; {error}") from None
    return value


PlainName = Annotated[str, BeforeValidator(_plain_name)]
"""A name that may stand in a consumer group, a topic, a file name and a URL."""

TopicList = Annotated[tuple[str, ...], BeforeValidator(_topics)]
"""Comma-separated topic names."""

TopicName = Annotated[str, BeforeValidator(lambda value: topic_name(str(value)))]

TopicRegex = Annotated[str, BeforeValidator(_regex)]

ByteCount = Annotated[int, BeforeValidator(_bytes), Field(ge=1)]
"""Bytes; ``MiB`` is 1024², ``mb`` is 1000²."""

FailureShare = Annotated[FailureLimit, BeforeValidator(_failure_limit)]
"""``100/1000``: 100 of the last 1000 records."""

Count = Annotated[int, Field(ge=1)]

Milliseconds = Annotated[int, Field(ge=0)]
