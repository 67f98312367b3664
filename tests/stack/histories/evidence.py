"""What a failed history needs to be understood: the records of a row, and its point."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.stack.histories.kinds import point_id
from tests.stack.index import OURS
from tests.stack.oracle import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.stack.bench import Bench
    from tests.stack.histories.kinds import Key
    from tests.stack.shops import Expected
    from tests.stack.stack import Stack
    from worker.model import Record

_SHOWN = 30
_HOPS = 2
"""Keys that a row had before: so many."""
_LINKS = {"__debezium.newkey": "to", "__debezium.oldkey": "from"}


def about_rows(bench: Bench, topic: str, keys: Iterable[Key]) -> str:
    """All records of these keys and of those that rows came from, and what the index has."""
    points, records = bench.index.points(topic), _by_key(bench, topic)
    wanted = {(), *keys}
    for _ in range(_HOPS):
        wanted |= {former for key in wanted for former in _formers(records[key])}
    lines = []
    for key in wanted:
        lines += [f"{key}: {_record(bench.stack, record)}" for record in records[key]]
    for key in wanted:
        name = point_id(key)
        mine = {one: points[one] for one in points if one.partition("#")[0] == name}
        lines.append(f"{key}: index has {'' if mine else 'nothing'}")
        lines += [f"    {one} {_shown(point.metadata)}" for one, point in sorted(mine.items())]
    return "\n".join(lines)


def about_metadata(bench: Bench, topic: str, wanted: Mapping[str, Expected | None]) -> str:
    """What of the metadata of these points is not as it should be."""
    points, lines = bench.index.points(topic), list[str]()
    for name, expected in wanted.items():
        if expected is None or name not in points:
            lines.append(f"{name} is {'missing' if expected else 'one too many'}")
            continue
        found = points[name].metadata
        for key in expected.metadata.keys() | found.keys():
            one, other = found.get(key), expected.metadata.get(key)
            if one != other and not (key.startswith("_") or key in OURS):
                lines.append(f"{name} {key} is {one!r:.80}, not {other!r:.80}")
    return "\n".join(lines)


def about_letters(bench: Bench, letters: Iterable[Record]) -> str:
    """Why records were dead-lettered, and the history of their rows and of those they came from."""
    lines = []
    for letter in letters:
        headers = dict(letter.headers)
        topic = _text(headers["__connect.errors.topic"])
        key = _key(decode(bench.stack, letter.key))
        message = _text(headers["__connect.errors.exception.message"])
        place = [_text(headers[f"__connect.errors.{part}"]) for part in ("partition", "offset")]
        lines.append(f"DEAD {topic} {'@'.join(place)}: {message[:200]}")
        lines.append(about_rows(bench, topic, [key]))
    return "\n".join(lines)


def _by_key(bench: Bench, topic: str) -> Mapping[Key, list[Record]]:
    """Those of a truncate have no key, and are shown with all."""
    found: dict[Key, list[Record]] = defaultdict(list)
    for record in bench.stack.kafka.topics.read(topic):
        found[() if record.key is None else _key(decode(bench.stack, record.key))].append(record)
    return found


def _formers(records: Iterable[Record]) -> set[Key]:
    """Keys that rows of a key came from."""
    headers = [dict(record.headers).get("__debezium.oldkey") for record in records]
    return {_key(json.loads(header)) for header in headers if header}


def _key(columns: Mapping[str, Any]) -> Key:
    return tuple(columns.values())


def _record(stack: Stack, record: Record) -> str:
    place = f"{record.partition}@{record.offset}"
    if record.value is None:
        return f"{place} tombstone {[name for name, _ in record.headers]}"
    value = decode(stack, record.value)
    links = [f"{_LINKS[name]} {_text(header)}" for name, header in record.headers if name in _LINKS]
    if "source" not in value:
        return f"{place} {' '.join(links)} {_shown(value)}"
    source = value["source"]
    moment = {name: source[name] for name in ("ts_ms", "lsn", "pos", "snapshot") if name in source}
    return f"{place} {value['op']} {' '.join(links)} {_shown(value['after'])} {_shown(moment)}"


def _shown(row: Mapping[str, Any] | None) -> dict[str, str]:
    told = {name: repr(value)[:_SHOWN] for name, value in (row or {}).items()}
    return {name: value for name, value in told.items() if not name.startswith("odd_")}


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")
