"""Reads the worker's settings: a Connect properties file, ``CONNECT_…`` variables, or both.

The variables are those of the usual Connect images: ``CONNECT_`` and the key in capitals with
``_`` for ``.``, ``__`` for ``-`` and ``___`` for ``_``. A variable wins over the file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from worker.config.client import ClientKind, Translation, translate
from worker.config.keys import below, subset
from worker.config.parse import keys_of, parse_section
from worker.config.problem import Problem, Severity, nearest, refuse
from worker.config.properties import parse_properties
from worker.config.secrets import resolve_all
from worker.config.worker import WorkerConfig, WorkerSettings
from worker.errors import ConfigError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ENVIRONMENT = "environment"
"""What stands for the file in problems if there is none."""

_PREFIX = "CONNECT_"
_UNDERSCORES = re.compile("_+")
_CHARACTER = {1: ".", 2: "-", 3: "_"}
_REST_EXTENSIONS = "rest.extension.classes"
"""How Connect asks for passwords; who sets it must not find the door open."""
_OWN_PREFIXES = ("worker.", "shutdown.", "log.", "listeners.", "rest.basic.", _REST_EXTENSIONS)
_COMMON_KEYS = ("security.protocol", "client.dns.lookup", "client.rack")
_COMMON_PREFIXES = (*_COMMON_KEYS, "sasl.", "ssl.")
_CONVERTERS = ("key.converter", "value.converter")
_CLIENTS = tuple(f"{kind.value}." for kind in ClientKind)
_BEFORE_KAFKA_3 = {"rest.port": "listeners", "rest.host.name": "listeners"}
_CONNECTS = frozenset({"offset.storage.replication.factor", "status.storage.replication.factor"})
"""Of no use here, but known to Connect, and more like a key of ours than most slips are."""
_SURELY_MEANT = 0.85


@immutable
class LoadedWorker:
    """What was read, and everything that is wrong with it."""

    config: WorkerConfig | None
    problems: tuple[Problem, ...]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What a worker can run with, but hardly was meant."""
        return tuple(problem for problem in self.problems if not problem.is_error)

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
        return LoadedWorker(None, (Problem(str(path), None, None, _reason(error)),))
    file = str(path) if path else ENVIRONMENT
    return _read({**written, **variables(environ)}, file, environ)


def _reason(error: OSError | UnicodeDecodeError | ConfigError) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}" if error.strerror else "cannot be read"
    return "cannot be read: not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


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
    converters = subset(raw, _CONVERTERS)
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


def _unknown(raw: Mapping[str, str], file: str) -> Iterator[Problem]:
    """Mistyped keys of ours, also where they are nearly ours.

    Others are ignored, as in Connect, whose images set many that mean nothing here.
    """
    known = keys_of(WorkerSettings)
    for key in raw:
        if key in known or key in _CONNECTS:
            continue
        if key.startswith(_OWN_PREFIXES):
            yield Problem(file, key, None, "unknown key", nearest(key, known))
        elif not key.startswith((*_CONVERTERS, *_COMMON_PREFIXES, *_CLIENTS)):
            near = _BEFORE_KAFKA_3.get(key) or _meant(key, known)
            if near is not None:
                yield Problem(file, key, None, "ignored: unknown key", near, Severity.WARNING)


def _meant(key: str, known: Iterable[str]) -> str | None:
    return nearest(key, (*known, *_CONVERTERS, *_COMMON_KEYS), likeness=_SURELY_MEANT)
