"""``vecsink pinecone-local``: our Pinecone-compatible server until a signal ends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

from worker.cli.errors import ExitCode
from worker.errors import ConfigError
from worker.pinecone_local.faults import FaultRule, Faults
from worker.pinecone_local.server import serve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.pinecone_local.server import Settings

_PORTS = re.compile(r"(\d+)(?:-(\d+))?")
_HIGHEST_PORT = 65_535

_EXAMPLE = """\
Listening on {url}; Ctrl-C ends it.

    from pinecone import Pinecone, ServerlessSpec
    pc = Pinecone(api_key="{key}", host="{url}")
    pc.create_index(name="shop", dimension=384, metric="cosine",
                    spec=ServerlessSpec(cloud="aws", region="us-east-1"))

In a connector: "store": "pinecone", "store.index": "shop", "store.url": "{url}"
"""


def pinecone_local(settings: Settings) -> int:
    """Serve; returns the exit code."""
    key = "<the key>" if settings.api_key else "any"
    if settings.data_dir is not None:
        _make(settings.data_dir)
    try:
        serve(settings, lambda url: typer.echo(_EXAMPLE.format(url=url, key=key)))
    except OSError as error:
        where = f"{settings.host}:{settings.control_port}"
        typer.echo(f"vecsink: cannot serve on {where}: {error.strerror or error}", err=True)
        return ExitCode.ENVIRONMENT
    return ExitCode.OK


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--data: the folder {folder} cannot be made: {error.strerror or error}"
        ) from error


def ports_of(text: str) -> tuple[int, ...]:
    """``5081-5180``, or single ports and ranges separated by commas; empty: any free ones.

    Raises:
        ConfigError: it says something else.
    """
    found: list[int] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _PORTS.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 0 < first <= last <= _HIGHEST_PORT:
            raise ConfigError(f"--data-ports: expected ports such as 5081-5180, found {part!r}")
        found += range(first, last + 1)
    return tuple(found)


def faults_of(rules: Sequence[str], **switches: float | None) -> Faults:
    """The server's switches; ``rules`` are JSON objects that say which calls fail.

    Raises:
        ConfigError: a rule or a switch is not valid.
    """
    try:
        return Faults.model_validate(
            {**switches, "rules": [FaultRule.model_validate_json(text) for text in rules]}
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the rule"
        keys = ", ".join(FaultRule.model_fields)
        raise ConfigError(f"{place}: {first['msg']} (keys of --fail: {keys})") from error
