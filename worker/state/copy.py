"""A state topic as it was at one moment, in this process: whatever is written to it stays here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import orjson

from worker.state.memory import MemoryStateTopic
from worker.state.topic import PARTITION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.model import Record

_log = logging.getLogger(__name__)


def copy_of(records: Iterable[Record], prefixes: tuple[str, ...]) -> MemoryStateTopic:
    """What these records of a state topic say under keys that begin so."""
    topic = MemoryStateTopic()
    for record in records:
        key = (record.key or b"").decode(errors="replace")
        if record.partition != PARTITION or not key.startswith(prefixes):
            continue
        try:
            value = None if record.value is None else orjson.loads(record.value)
        except orjson.JSONDecodeError:
            _log.debug("A record of the state topic is not JSON: offset %d.", record.offset)
            continue
        topic.log.append(key, value)
    return topic
