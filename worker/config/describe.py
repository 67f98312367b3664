"""Writes ``docs/configuration.md`` and the JSON schema from the settings' own descriptions.

``python -m worker.config.describe --write`` brings both up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from worker.config.catalogue import GROUPS, TITLES, Entry, entries, plugin_sections
from worker.config.converter import ConverterSettings
from worker.config.json_schema import as_text, connector_schema
from worker.config.keys import SECTIONS
from worker.config.worker import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTATION = Path("docs/configuration.md")
SCHEMA = Path("schemas/connector.schema.json")

_INTRODUCTION = """\
# Configuration

<!-- Made by `python -m worker.config.describe --write`. Change the descriptions in the code. -->

A connector is a JSON file: `{"name": …, "config": {…}}` as Kafka Connect's REST API takes it, or \
the flat keys alone. `vecsink validate PATH…` shows every mistake of it. `schemas/\
connector.schema.json` lets an editor help with writing it.

- Values may be text, numbers or booleans. Bytes are a number or text such as `64 MiB` (1024²) or \
`2mb` (1000²).
- `${env:NAME}`, `${file:/path:key}` (a properties file) and `${file:/path}` (a whole file) stand \
for secrets. They are filled in last and never shown. In `document.*` they are plain text.
- An unknown key under one of our own prefixes is an error; other unknown keys are ignored, as in \
Kafka Connect. Single message transforms (`transforms`) are not supported.
"""

_CONVERTERS = """\

## Converters

The same keys exist for `key.converter`. A connector that names no converter gets the worker's, \
with the worker's settings for it.
"""

_KAFKA = """\

## Kafka clients

`consumer.override.*`, `producer.override.*` and `admin.override.*` are passed to librdkafka. \
Java's names are translated where librdkafka has another one: `sasl.jaas.config` (PLAIN and \
SCRAM), `fetch.max.wait.ms`, `max.request.size`, PEM key stores and so on. Java key stores (JKS) \
cannot be read: use `ssl.ca.location`, `ssl.certificate.location` and `ssl.key.location`, which \
are PEM files.

Defaults of the consumer: `group.id` `connect-<name>`, `auto.offset.reset` `earliest`, \
`session.timeout.ms` 10000, `heartbeat.interval.ms` 3000, `max.poll.interval.ms` 300000, \
`queued.max.messages.kbytes` 16384, `isolation.level` `read_committed`, and `group.instance.id` \
`<worker.id>-<name>-<task>` where `worker.id` is set. `consumer.override.group.protocol` \
`consumer` chooses the protocol of KIP-848. What vecsink decides by itself, such as \
`enable.auto.commit`, cannot be overridden.
"""

_WORKER = """\

## Worker

From a properties file (`--worker-config FILE`) or variables named as in the usual Kafka Connect \
images: `CONNECT_` and the key in capitals with `_` for `.`, such as `CONNECT_BOOTSTRAP_SERVERS`. \
A variable wins over the file.

`key.converter…` and `value.converter…` are defaults for connectors. `security.protocol`, \
`sasl.*` and `ssl.*` hold for all Kafka clients; `consumer.*`, `producer.*` and `admin.*` for one \
kind; a connector's overrides win.
"""


def documentation() -> str:
    """The text of ``docs/configuration.md``."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _INTRODUCTION
    for name, title in TITLES.items():
        section, prefix = SECTIONS[name]
        yield f"\n## {title}\n\n" + _table(entries(section, prefix))
    yield _CONVERTERS + "\n" + _table(entries(ConverterSettings, "value."))
    for kind in GROUPS:
        for name, section in plugin_sections(kind).items():
            yield f"\n## `{kind}` `{name}`\n\n" + _table(entries(section))
    yield _KAFKA
    yield _WORKER + "\n" + _table(entries(WorkerSettings))


def _table(rows: Iterable[Entry]) -> str:
    lines = [
        f"| `{row.key}` | {row.kind} | {_default(row)} | {_cell(row.meaning)} |\n" for row in rows
    ]
    if not lines:
        return "No settings of its own.\n"
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "".join(lines)


def _default(row: Entry) -> str:
    if row.is_required:
        return "required"
    return "" if row.default is None else f"`{_cell(row.default)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def outputs() -> dict[Path, str]:
    """What each generated file should hold, by its path in the repository."""
    return {DOCUMENTATION: documentation(), SCHEMA: as_text(connector_schema())}


def main(arguments: list[str]) -> int:
    """Write the files, or say which are out of date."""
    stale = [path for path, text in outputs().items() if _current(path) != text]
    for path in stale:
        if "--write" in arguments:
            (ROOT / path).write_text(outputs()[path], encoding="utf-8")
        sys.stdout.write(f"{path}: {'written' if '--write' in arguments else 'out of date'}\n")
    return 1 if stale and "--write" not in arguments else 0


def _current(path: Path) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
