"""``vecsink search``: the index as its reader sees it."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

import orjson
from rich.console import Console
from rich.table import Table

from worker.checks import CHECKS
from worker.cli.errors import ExitCode
from worker.cli.worker_settings import worker_settings
from worker.clock import SystemClock
from worker.config.load import load
from worker.errors import ConfigError
from worker.index import Index
from worker.throttle.accounts import Accounts
from worker.treasury import Counting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from worker.store.port import Match


_NOTHING = "the index is empty, or the filter leaves nothing over"
_IN_MEMORY = "the memory store is seen by its own worker alone"


def search(  # noqa: PLR0913 - the options of a command
    path: Path,
    text: str,
    *,
    worker_file: Path | None,
    k: int,
    where: str | None,
    namespace: str | None,
    as_json: bool,
) -> int:
    """Embed a question, ask the store, print the best matches; returns the exit code.

    Raises:
        ConfigError: a file, the filter or the namespace is wrong.
        RetriableError, FatalError: provider or store do not answer, or refuse.
    """
    if not text.strip():
        raise ConfigError("the question is empty; say what to look for")
    worker = worker_settings(worker_file)
    connectors = load([path], worker=worker, checks=CHECKS).require()
    if len(connectors) != 1:
        raise ConfigError(f"{path} has {len(connectors)} connectors; search takes a file with one")
    with Index(connectors[0], Accounts(SystemClock()), Counting()) as index:
        names = _names(index, namespace)
        found = _best(index, text, names, k, _filter(where))
    if as_json:
        _print_json(found)
    else:
        _print_table(found, text, index.store.name)
    return ExitCode.OK


def _filter(where: str | None) -> Mapping[str, object] | None:
    if where is None:
        return None
    try:
        parsed = orjson.loads(where)
    except orjson.JSONDecodeError as error:
        raise ConfigError(
            f"--filter is not JSON ({error}); it is the store's own filter, such as "
            '{"category": "tents"}'
        ) from error
    if not isinstance(parsed, dict):
        raise ConfigError("--filter is a JSON object in the store's own filter language")
    return parsed


def _names(index: Index, namespace: str | None) -> list[str]:
    """The namespaces to look in: the one that was asked for, or all of the connector's.

    Raises:
        ConfigError: the index has no such namespace.
    """
    if namespace is None:
        return index.namespaces()
    names = index.store.namespaces()
    if namespace in names:
        return [namespace]
    near = get_close_matches(namespace, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f" among its {len(names)}"
    raise ConfigError(f"--namespace: the index has no {namespace!r}{hint}")


def _best(
    index: Index,
    text: str,
    namespaces: Sequence[str],
    k: int,
    where: Mapping[str, object] | None,
) -> list[tuple[str, Match]]:
    vector = index.question(text)
    found = [
        (namespace, match)
        for namespace in namespaces
        for match in index.store.query(namespace, vector, k, where)
    ]
    found.sort(key=lambda hit: hit[1].score, reverse=True)
    return found[:k]


def _print_json(found: Sequence[tuple[str, Match]]) -> None:
    for namespace, match in found:
        line = {
            "namespace": namespace,
            "id": match.id,
            "score": match.score,
            "metadata": dict(match.metadata),
        }
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _print_table(found: Sequence[tuple[str, Match]], text: str, store: str) -> None:
    console = Console()
    if not found:
        console.print(f"Nothing found: {_IN_MEMORY if store == 'memory' else _NOTHING}.")
        return
    console.print(matches_table(found, title=text))


def matches_table(found: Sequence[tuple[str, Match]], title: str) -> Table:
    """Matches as rows of a table: score, namespace, id, then their metadata."""
    columns = list(dict.fromkeys(name for _, match in found for name in match.metadata))
    table = Table(title=title, title_justify="left")
    table.add_column("score", justify="right")
    table.add_column("namespace")
    table.add_column("id")
    for name in columns:
        table.add_column(name)
    for namespace, match in found:
        values = [_shown(match.metadata.get(name)) for name in columns]
        table.add_row(f"{match.score:.3f}", namespace, match.id, *values)
    return table


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
