"""``vecsink provider-local``: stands in for Cohere, OpenAI and Voyage until a signal ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from worker.cli.errors import ExitCode
from worker.errors import ConfigError
from worker.provider_local.faults import Faults
from worker.provider_local.server import serve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.provider_local.server import Settings

_EXAMPLE = """\
Listening on {url}; Ctrl-C ends it.

In a connector, with any text as embedder.api.key:

    "embedder": "cohere", "embedder.base.url": "{url}/cohere"
    "embedder": "openai", "embedder.base.url": "{url}/openai/v1"
    "embedder": "voyage", "embedder.base.url": "{url}/voyage/v1"

What was asked and billed: {url}/_local/stats
"""


def provider_local(settings: Settings) -> int:
    """Serve; returns the exit code."""
    try:
        serve(settings, lambda url: typer.echo(_EXAMPLE.format(url=url)))
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        typer.echo(f"vecsink: cannot serve on {where}: {error.strerror or error}", err=True)
        return ExitCode.ENVIRONMENT
    return ExitCode.OK


def faults_of(
    rules: Sequence[str],
    markers: Sequence[str],
    per_minute: Mapping[str, int | None],
    **rest: float,
) -> Faults:
    """The server's switches.

    Args:
        rules: JSON objects that say which calls go wrong.
        markers: ``PART=FATE``: what happens to texts that contain the part.
        per_minute: limits by name.
        rest: latency and so on.

    Raises:
        ConfigError: one of them is not valid.
    """
    given: dict[str, Any] = {
        **rest,
        "per_minute": dict(per_minute),
        "markers": dict(part.rpartition("=")[::2] for part in markers),
        "rules": [_read(text) for text in rules],
    }
    try:
        return Faults.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"provider-local, {place}: {first['msg']}") from error


def _read(text: str) -> object:
    import orjson  # noqa: PLC0415 - only where a rule is given

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ConfigError('--fail: expected JSON such as {"status": 429, "count": 3}') from error
