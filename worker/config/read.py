"""One connector's flat values to its settings, with every mistake found on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import Any, TypeAlias

from worker.config import cross
from worker.config.client import ClientKind, ClientProperties, translate
from worker.config.connector import CONNECTOR_CLASS, ConnectorConfig
from worker.config.keys import LITERAL, SECTIONS, below, known_keys, subset, unknown_keys
from worker.config.parse import keys_of, parse_section, secret_keys_of
from worker.config.problem import Problem, errors_of, nearest
from worker.config.secrets import resolve_all
from worker.config.section import Section
from worker.config.worker import WorkerConfig
from worker.errors import ConfigError
from worker.immutable import immutable
from worker.plugins import EMBEDDERS, STORES, Registry

Check: TypeAlias = Callable[[ConnectorConfig], Iterable[Problem]]
"""A rule of another component, such as whether ``document.fields`` can be parsed.

It is asked also where other keys are wrong, so that all mistakes show at once: those keys have
their defaults then, and ``embedder_config`` and ``store_config`` may be bare sections. What it says
about a key that is known to be wrong is dropped.
"""

_PLUGIN_KINDS = ("embedder", "store")
_CLIENTS = (ClientKind.CONSUMER, ClientKind.PRODUCER, ClientKind.ADMIN)
_MAY_BE_EMPTY = frozenset({"store.namespace"})
"""An empty value counts as none, as in Connect; but an empty namespace is a namespace."""
_MADE_UP = {
    "name": "unnamed",
    "connector.class": CONNECTOR_CLASS,
    "embedder": "none",
    "store": "none",
}
"""For checks of a connector whose required keys are missing; it never runs."""


@immutable
class Plugins:
    """What ``embedder`` and ``store`` can name; by default what is installed."""

    embedders: Registry = field(default_factory=lambda: Registry(EMBEDDERS))
    stores: Registry = field(default_factory=lambda: Registry(STORES))


@immutable
class Surroundings:
    """What a connector's settings are read against."""

    worker: WorkerConfig = field(default_factory=WorkerConfig)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    plugins: Plugins = field(default_factory=Plugins)
    checks: tuple[Check, ...] = ()


@immutable
class Reading:
    """One connector: its settings if they are valid, and what is wrong with them."""

    config: ConnectorConfig | None
    problems: tuple[Problem, ...]


def read_connector(
    raw: Mapping[str, str], surroundings: Surroundings | None = None, *, file: str = "connector"
) -> Reading:
    """Check and parse the flat settings of one connector. Values are text, as in Connect."""
    around = surroundings or Surroundings()
    complete = _with_old_names(_with_worker_converters(raw, around.worker.converters))
    reader = _Reader(complete, around, file)
    config = reader.config()
    if config is not None:
        reader.problems += cross.check(config, reader.wrong_keys())
        wrong = reader.wrong_keys()
        for check in around.checks:
            reader.problems += [found for found in check(config) if found.key not in wrong]
    problems = reader.shown_problems()
    if config is None or errors_of(problems):
        return Reading(None, problems)
    return Reading(replace(config, raw=dict(raw)), problems)


def attempt(config: ConnectorConfig, key: str, parse: Callable[[], object]) -> Iterable[Problem]:
    """No problem, or the ConfigError that ``parse`` raised about this key. For checks."""
    try:
        parse()
    except ConfigError as error:
        shown = None if key in config.secret_keys else config.raw.get(key)
        message = str(error).removeprefix(key).lstrip(":, ")
        return [Problem(config.file, key, shown, message)]
    return []


def _with_worker_converters(
    raw: Mapping[str, str], converters: Mapping[str, str]
) -> Mapping[str, str]:
    """Connect's rule: who names a converter names its settings too; else the worker's hold."""
    inherited: dict[str, str] = {}
    for name in ("key.converter", "value.converter"):
        if name not in raw:
            inherited.update(subset(converters, (name,)))
    return {**inherited, **raw}


def _with_old_names(raw: Mapping[str, str]) -> Mapping[str, str]:
    """Confluent still takes an older name for the registry's user information."""
    old, new = ".converter.schema.registry.basic.auth.user.info", ".converter.basic.auth.user.info"
    renamed = {key: key.removesuffix(old) + new if key.endswith(old) else key for key in raw}
    return {renamed[key]: value for key, value in raw.items()}


class _Reader:
    """Collects the parts and the problems of one connector."""

    def __init__(self, raw: Mapping[str, str], around: Surroundings, file: str) -> None:
        self._raw = raw
        self._around = around
        self._file = file
        self._resolved = resolve_all(raw, file=file, environ=around.environ, literal=LITERAL)
        self._plugins: dict[str, type[Section]] = {}
        self.problems = list(self._resolved.problems)

    def config(self) -> ConnectorConfig | None:
        """The settings, as far as they are valid; None if a part has too little for checks."""
        parts: dict[str, Any] = {
            name: self._parse(section, prefix) or self._valid_part(section, prefix)
            for name, (section, prefix) in SECTIONS.items()
        }
        parts["embedder_config"] = (
            self._plugin("embedder", self._around.plugins.embedders) or Section()
        )
        parts["store_config"] = self._plugin("store", self._around.plugins.stores) or Section()
        self._complain_about_unknown()
        parts.update({kind.value: self._overrides(kind) for kind in _CLIENTS})
        if None in parts.values():
            return None
        secret = self._secret_keys()
        return ConnectorConfig(file=self._file, raw=self._raw, secret_keys=secret, **parts)

    def wrong_keys(self) -> frozenset[str]:
        """The keys with errors so far."""
        return frozenset(found.key for found in errors_of(self.problems) if found.key)

    def shown_problems(self) -> tuple[Problem, ...]:
        """Every problem once, without any secret."""
        unresolved = {problem.key for problem in self._resolved.problems}
        literal = self._secret_keys() & self._raw.keys() - unresolved
        texts = {key: self._text(key) for key in literal}
        redactor = replace(self._resolved, secrets={**texts, **self._resolved.secrets})
        hidden = (redactor.hide(problem) for problem in self.problems)
        return tuple(dict.fromkeys(hidden))

    def _parse(self, section: type[Section], prefix: str = "") -> Section | None:
        values = self._values(section, prefix)
        parsed, problems = parse_section(
            section, values, raw=self._raw, file=self._file, prefix=prefix
        )
        unresolved = {problem.key for problem in self._resolved.problems}
        self.problems += [problem for problem in problems if problem.key not in unresolved]
        return parsed

    def _values(self, section: type[Section], prefix: str) -> dict[str, str]:
        names = keys_of(section, prefix)
        values = {key: self._text(key) for key in self._raw if key in names}
        return {key: text for key, text in values.items() if text or key in _MAY_BE_EMPTY}

    def _valid_part(self, section: type[Section], prefix: str) -> Section | None:
        """The section without its wrong keys; what must not be missing is made up."""
        wrong = self.wrong_keys()
        made_up = {key: text for key, text in _MADE_UP.items() if key in keys_of(section, prefix)}
        values = self._values(section, prefix)
        kept = {key: text for key, text in values.items() if key not in wrong}
        return parse_section(section, {**made_up, **kept}, raw={}, file=self._file, prefix=prefix)[
            0
        ]

    def _text(self, key: str) -> str:
        text = self._resolved.values[key]
        return text if key.startswith(LITERAL) else text.strip()

    def _plugin(self, kind: str, registry: Registry) -> Section | None:
        """Settings of the chosen plug-in; without a name there is nothing to check against."""
        name = self._text(kind) if kind in self._raw else ""
        if not name:
            return None
        try:
            self._plugins[kind] = registry.load(name).Config
        except ConfigError as error:
            self.problems.append(self._no_plugin(kind, name, registry, error))
            return None
        return self._parse(self._plugins[kind])

    def _no_plugin(self, kind: str, name: str, registry: Registry, error: ConfigError) -> Problem:
        if name in registry.names:
            return Problem(self._file, kind, self._raw[kind], str(error))
        choices = f"expected one of {', '.join(registry.names)}"
        return Problem(self._file, kind, self._raw[kind], choices, nearest(name, registry.names))

    def _complain_about_unknown(self) -> None:
        unchecked = tuple(f"{kind}." for kind in _PLUGIN_KINDS if kind not in self._plugins)
        known = known_keys(*self._plugins.values())
        self.problems += unknown_keys(self._raw, known, unchecked=unchecked, file=self._file)

    def _overrides(self, kind: ClientKind) -> ClientProperties:
        prefix = f"{kind.value}.override."
        given = below(self._resolved.values, prefix)
        translation = translate(kind, given, prefix=prefix, file=self._file)
        self.problems += translation.problems
        return translation.properties

    def _secret_keys(self) -> frozenset[str]:
        ours = (secret_keys_of(section, prefix) for section, prefix in SECTIONS.values())
        theirs = (secret_keys_of(section) for section in self._plugins.values())
        return frozenset().union(*ours, *theirs)
