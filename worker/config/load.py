"""Connector files and folders to settings; every mistake of all files is collected."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.config.problem import Problem, errors_of, refuse
from worker.config.read import Plugins, Surroundings, read_connector
from worker.config.worker import WorkerConfig
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from worker.config.connector import ConnectorConfig
    from worker.config.read import Check

_BESIDE_CONFIG = frozenset({"name", "config", "tasks", "type", "initial_state"})
"""What Connect's REST API has beside ``config``, in requests and answers."""


@immutable
class Loaded:
    """All connectors of some files."""

    files: tuple[str, ...]
    connectors: tuple[ConnectorConfig, ...]
    """The valid ones, in the order of their files."""
    problems: tuple[Problem, ...]
    """Errors and warnings of all files."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a connector from running."""
        return errors_of(self.problems)

    def require(self) -> tuple[ConnectorConfig, ...]:
        """All connectors.

        Raises:
            ConfigError: anything is wrong with any of them; one line per error.
        """
        refuse(self.problems)
        return self.connectors


def load(
    paths: Iterable[str | Path],
    *,
    worker: WorkerConfig | None = None,
    checks: tuple[Check, ...] = (),
    environ: Mapping[str, str] = os.environ,
    plugins: Plugins | None = None,
) -> Loaded:
    """Read connector files, and all ``*.json`` of folders.

    ``worker`` has the default converters, ``checks`` are other components' rules, ``environ`` is
    where ``${env:NAME}`` looks.
    """
    around = Surroundings(worker or WorkerConfig(), environ, plugins or Plugins(), checks)
    files, problems = _files(paths)
    connectors: list[ConnectorConfig] = []
    for file in files:
        values, found = _read_file(file)
        problems += found
        if values is None:
            continue
        reading = read_connector(values, around, file=str(file))
        unread = {problem.key for problem in found} - values.keys()
        problems += [problem for problem in reading.problems if problem.key not in unread]
        connectors += [reading.config] if reading.config and not errors_of(found) else []
    problems += _repeated_names(connectors)
    return Loaded(tuple(str(file) for file in files), tuple(connectors), tuple(problems))


def _files(paths: Iterable[str | Path]) -> tuple[list[Path], list[Problem]]:
    files: list[Path] = []
    problems: list[Problem] = []
    for path in map(Path, paths):
        inside = sorted(filter(is_connector_file, path.glob("*.json"))) if path.is_dir() else [path]
        if not inside:
            problems.append(Problem(str(path), None, None, "expected a folder with *.json files"))
        files += [file for file in inside if file not in files]
    return files, problems


def is_connector_file(path: Path) -> bool:
    """Whether a file in a folder is meant: what begins with a dot is some tool's own."""
    return path.suffix == ".json" and not path.name.startswith(".")


def _read_file(file: Path) -> tuple[Mapping[str, str] | None, list[Problem]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or "cannot be read"
        return None, [Problem(str(file), None, None, f"cannot be read: {reason}")]
    except UnicodeDecodeError:
        return None, [Problem(str(file), None, None, "cannot be read: not UTF-8")]
    return read_text(text, file=str(file))


def read_text(text: str, *, file: str) -> tuple[Mapping[str, str] | None, list[Problem]]:
    """The flat values in a JSON text, in the shape of Connect's REST API or flat."""
    repeated: list[str] = []
    try:
        parsed = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, repeated))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        return None, [Problem(file, None, None, f"not valid JSON: {error.msg} at {place}")]
    except ValueError:
        return None, [Problem(file, None, None, "not valid JSON: a number has too many digits")]
    except RecursionError:
        return None, [Problem(file, None, None, "not a connector: nested too deeply")]
    if not isinstance(parsed, dict):
        return None, [Problem(file, None, None, "expected a JSON object of settings")]
    if not is_text(parsed):
        return None, [Problem(file, None, None, "not valid text: half of a surrogate pair")]
    problems = [Problem(file, key, None, "the key is there twice") for key in repeated]
    values, found = _flat(parsed, file)
    return values, problems + found


def is_text(parsed: object) -> bool:
    """Whether parsed JSON can be written again: half of a surrogate pair cannot."""
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    counted = Counter(key for key, _ in pairs)
    repeated += [key for key, times in counted.items() if times > 1]
    return dict(pairs)


def _flat(parsed: dict[str, Any], file: str) -> tuple[Mapping[str, str], list[Problem]]:
    """Both shapes to one; the outer name counts where there is no inner one."""
    inner = parsed.get("config")
    if not isinstance(inner, dict):
        return _scalars(parsed, file)
    values, problems = _scalars(inner, file)
    problems += [
        Problem(file, key, None, "belongs inside 'config'")
        for key in parsed
        if key not in _BESIDE_CONFIG
    ]
    outer = parsed.get("name")
    if not isinstance(outer, str):
        return values, problems
    if values.get("name", outer) != outer:
        problems.append(Problem(file, "name", values["name"], f"expected {outer!r} as outside"))
    return {"name": outer, **values}, problems


def _scalars(given: dict[str, Any], file: str) -> tuple[dict[str, str], list[Problem]]:
    """Connect's config is a map of text; numbers and booleans become text."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for key, value in given.items():
        if value is None:
            null = "Null value can not be supplied as the configuration value."
            problems.append(Problem(file, key, None, null))
        elif isinstance(value, (dict, list)):
            problems.append(Problem(file, key, None, "expected one value; lists are 'a, b'"))
        else:
            values[key] = value if isinstance(value, str) else json.dumps(value)
    return values, problems


def _repeated_names(connectors: list[ConnectorConfig]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for config in connectors:
        other = first.setdefault(config.name, config.file)
        if other != config.file:
            yield Problem(
                config.file, "name", config.raw["name"], f"a name of its own; {other} has it"
            )
