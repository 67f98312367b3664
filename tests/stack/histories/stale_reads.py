"""Rows that an incremental snapshot told as they had been, after later changes of them.

Seen with Debezium 3.6 where keys change while a chunk is read: a key that a row had left, and that
another had come to, was sent once more with the row that had left. The index follows what is sent,
and so such a text is paid for again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tests.stack.histories.rows import Row
from tests.stack.oracle import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.stack.bench import Bench
    from worker.model import Record

_PLACEHOLDER = "__debezium_unavailable_value"


def stale_texts(bench: Bench, topic: str) -> Counter[str]:
    """How often each text was told by such a read."""
    records: dict[bytes, list[Record]] = defaultdict(list)
    for record in bench.stack.kafka.topics.read(topic):
        if record.key is not None and record.value is not None:
            records[record.key].append(record)
    found: Counter[str] = Counter()
    for of_key in records.values():
        found += texts_that_came_back(decode(bench.stack, record.value or b"") for record in of_key)
    return found


def texts_that_came_back(values: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """What came back although something else was told since."""
    found: Counter[str] = Counter()
    told: set[str] = set()
    now: str | None = None
    for value in values:
        text = _text(value.get("after"))
        if _is_read_again(value) and text is not None and text != now and text in told:
            found[text] += 1
        now = text
        if text is not None:
            told.add(text)
    return found


def _is_read_again(value: Mapping[str, Any]) -> bool:
    source = value.get("source") or {}
    return value.get("op") == "r" and source.get("snapshot") == "incremental"


def _text(after: Mapping[str, Any] | None) -> str | None:
    """None also if it was not sent."""
    if after is None or _PLACEHOLDER in (after["name"], after["body"]):
        return None
    return Row((), after["name"], after["body"], None, bool(after["live"])).text
