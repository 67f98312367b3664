"""References to secrets, ``${env:NAME}`` and ``${file:path:key}``: resolved last, shown never."""

from __future__ import annotations

import os
import re
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from worker.config.problem import HIDDEN, Problem
from worker.config.properties import parse_properties
from worker.errors import ConfigError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_-]*):([^}]*)\}")
_USER_INFO = re.compile(r"//[^/\s]+@")
"""Up to the last ``@``, as people leave the one in a password unescaped."""
_IN_QUERY = re.compile(r"(?i)([?&][^=&\s]*(?:password|passwd|secret|token|key)=)[^&\s]+")
_SHORTEST_SEARCHED = 4
"""Shorter secrets are not looked for in other keys' texts, where they would match by chance."""


def has_reference(value: str) -> bool:
    """Whether the text contains ``${provider:…}``."""
    return _REFERENCE.search(value) is not None


def references(value: str) -> str:
    """The references in a text alone, which may be shown when the rest of it may not."""
    return "".join(found[0] for found in _REFERENCE.finditer(value))


def without_user_info(text: str) -> str:
    """The text with ``user:password@`` in URLs hidden, unless a reference stands for it."""
    return _USER_INFO.sub(
        lambda found: found[0] if _is_filled_in(found[0], ":@", "//@") else f"//{HIDDEN}@", text
    )


def without_url_secrets(text: str) -> str:
    """The same, and with what URLs have as ``?password=…``, ``&api-key=…`` and the like hidden."""
    return _IN_QUERY.sub(
        lambda found: found[0] if _is_filled_in(found[0], "=") else found[1] + HIDDEN,
        without_user_info(text),
    )


def _is_filled_in(text: str, *ends: str) -> bool:
    """Whether references alone stand where a secret is due."""
    return has_reference(text) and _REFERENCE.sub("", text).endswith(ends)


def resolve(value: str, environ: Mapping[str, str] = os.environ) -> str:
    """Fill in all references of one value.

    ``${env:NAME}`` is an environment variable, ``${file:/path:key}`` an entry of a properties file
    (both as Kafka's EnvVarConfigProvider and FileConfigProvider do, KIP-297 and KIP-887), and
    ``${file:/path}`` a whole file without its last line break, as Docker and Kubernetes mount
    secrets.

    Raises:
        ConfigError: it names the variable, file or entry that is missing.
    """
    return _REFERENCE.sub(lambda found: _lookup(found[1], found[2], environ), value)


def _lookup(provider: str, argument: str, environ: Mapping[str, str]) -> str:
    if provider == "env":
        if argument not in environ:
            raise ConfigError(f"the environment variable {argument} to be set")
        return environ[argument]
    if provider == "file":
        path, _, entry = argument.partition(":")
        return _from_file(path, entry)
    raise ConfigError(
        f"a reference of the form ${{env:NAME}} or ${{file:path:key}}, not {provider!r}"
    )


def _from_file(path: str, entry: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise ConfigError(f"a readable text file {path}") from None
    if not entry:
        return text.removesuffix("\n").removesuffix("\r")
    try:
        properties = parse_properties(text)
    except ConfigError:
        raise ConfigError(f"a valid properties file {path}") from None
    if entry not in properties:
        raise ConfigError(f"an entry {entry!r} in {path}")
    return properties[entry]


@immutable
class Resolved:
    """Values with their references filled in, and what of them must not be shown."""

    values: Mapping[str, str]
    problems: tuple[Problem, ...]
    secrets: Mapping[str, str] = field(default_factory=dict)
    """By key: what the references of the value became."""

    def hide(self, problem: Problem) -> Problem:
        """The problem without any resolved value in its texts."""
        return replace(
            problem,
            expected=self._redact(problem.expected, problem.key),
            value=None if problem.value is None else self._redact(problem.value, problem.key),
            suggestion=problem.suggestion and self._redact(problem.suggestion, problem.key),
        )

    def _redact(self, text: str, key: str | None) -> str:
        for owner, secret in sorted(self.secrets.items(), key=lambda item: -len(item[1])):
            if secret and (owner == key or len(secret) >= _SHORTEST_SEARCHED):
                text = text.replace(secret, HIDDEN)
        return without_url_secrets(text)


def resolve_all(
    raw: Mapping[str, str], *, file: str, environ: Mapping[str, str], literal: tuple[str, ...] = ()
) -> Resolved:
    """Resolve every value; keys that begin with one of ``literal`` are taken as they stand.

    A key whose reference cannot be resolved is a problem and keeps its text.
    """
    values: dict[str, str] = {}
    secrets: dict[str, str] = {}
    problems: list[Problem] = []
    for key, text in raw.items():
        values[key] = text
        if key.startswith(literal) or not has_reference(text):
            continue
        try:
            values[key] = resolve(text, environ)
        except ConfigError as error:
            problems.append(Problem(file, key, references(text), f"expected {error}"))
            continue
        secrets[key] = values[key]
    return Resolved(values, tuple(problems), secrets)
