"""Reads the worker's settings: a Connect properties file, ``CONNECT_…`` variables, or both.

The variables are those of the usual Connect images: ``CONNECT_`` and the key in capitals with
``_`` for ``.``, ``__`` for ``-`` and ``___`` for ``_``. A variable wins over the file.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from worker.config.client import ClientKind, Translation, translate
from worker.config.keys import below, subset
from worker.config.parse import keys_of, parse_section
from worker.config.problem import Problem, nearest, refuse
from worker.config.properties import parse_properties
from worker.config.secrets import resolve_all
from worker.config.worker import WorkerConfig, WorkerSettings
from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "environment"
"""What stands for the file in problems if there is none."""

_PREFIX = "CONNECT_"
_UNDERSCORES = re.compile("_+")
_CHARACTER = {1: ".", 2: "-", 3: "_"}
_REST_EXTENSIONS = "rest.extension.classes"
"""How Connect asks for passwords; who sets it must not find the door open."""
_OWN_PREFIXES = ("worker.", "shutdown.", "log.", "listeners.", "rest.basic.", _REST_EXTENSIONS)
_COMMON_PREFIXES = ("security.protocol", "sasl.", "ssl.", "client.dns.lookup", "client.rack")


@dataclass(frozen=True, slots=True)
class LoadedWorker:
    """What was read, and everything that is wrong with it."""

    config: WorkerConfig | None
    problems: tuple[Problem, ...]

    def require(self) -> WorkerConfig:
        """The settings.

        Raises:
            ConfigError: one line per error.
        """
        refuse(self.problems)
        if self.config is None:
            raise ConfigError("the worker's settings are not valid")
        return self.config


def load_worker(
    path: str | Path | None = None, environ: Mapping[str, str] = os.environ
) -> LoadedWorker:
    """Read the worker's settings; without a file and variables all have their defaults."""
    try:
        written = parse_properties(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        reason = str(error) if isinstance(error, ConfigError) else "expected a readable text file"
        return LoadedWorker(None, (Problem(str(path), None, None, reason),))
    file = str(path) if path else ENVIRONMENT
    return _read({**written, **variables(environ)}, file, environ)


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings in ``CONNECT_…`` variables, by their keys."""
    return {
        _key(name.removeprefix(_PREFIX)): value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and name != _PREFIX
    }


def _key(name: str) -> str:
    return _UNDERSCORES.sub(lambda found: _CHARACTER.get(len(found[0]), "_"), name).lower()


def _read(raw: Mapping[str, str], file: str, environ: Mapping[str, str]) -> LoadedWorker:
    converters = subset(raw, ("key.converter", "value.converter"))
    own = {key: value for key, value in raw.items() if key not in converters}
    resolved = resolve_all(own, file=file, environ=environ)
    known = keys_of(WorkerSettings)
    mine = {key: value.strip() for key, value in resolved.values.items() if key in known}
    settings, problems = parse_section(WorkerSettings, mine, raw=raw, file=file)
    clients = {kind: _client(kind, resolved.values, file) for kind in ClientKind}
    found = [*resolved.problems, *problems, *_unknown(raw, file)]
    for client in clients.values():
        found.extend(client.problems)
    if settings is None:
        return LoadedWorker(None, tuple(resolved.hide(problem) for problem in found))
    by_kind = {kind.value: client.properties for kind, client in clients.items()}
    config = WorkerConfig(settings=settings, converters=converters, **by_kind)
    return LoadedWorker(config, tuple(resolved.hide(problem) for problem in found))


def _client(kind: ClientKind, values: Mapping[str, str], file: str) -> Translation:
    if kind is ClientKind.COMMON:
        return translate(kind, subset(values, _COMMON_PREFIXES), prefix="", file=file)
    prefix = f"{kind.value}."
    return translate(kind, below(values, prefix), prefix=prefix, file=file)


def _unknown(raw: Mapping[str, str], file: str) -> list[Problem]:
    """Mistyped keys of ours; keys of other people's prefixes are ignored, as in Connect."""
    known = keys_of(WorkerSettings)
    return [
        Problem(file, key, None, "unknown key", nearest(key, known))
        for key in raw
        if key.startswith(_OWN_PREFIXES) and key not in known
    ]
