"""``vecsink validate``: every mistake of connector files, field by field."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TextIO

from worker.cli.errors import ExitCode
from worker.config.load import Loaded, load
from worker.config.load_worker import load_worker
from worker.config.worker import WorkerConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.table import Table

    from worker.config.problem import Problem
    from worker.config.read import Check


def validate(
    paths: Sequence[str | Path],
    *,
    worker_file: str | Path | None = None,
    checks: tuple[Check, ...] = (),
    as_json: bool = False,
    out: TextIO | None = None,
) -> ExitCode:
    """Check connector files and folders and print per file ``OK`` or what is wrong.

    ``checks`` are other components' rules. A table on a terminal, plain lines elsewhere, one JSON
    object with ``as_json``. With errors in the worker's settings it returns ``CONFIG`` as well.
    """
    stream = sys.stdout if out is None else out
    loaded = load_all(paths, worker_file, checks)
    if as_json:
        _print_json(loaded, stream)
    else:
        print_files(loaded, stream)
    return ExitCode.CONFIG if loaded.errors else ExitCode.OK


def print_files(loaded: Loaded, out: TextIO) -> None:
    """A table per file on a terminal, plain lines elsewhere."""
    if out.isatty():
        _print_table(loaded, out)
    else:
        _print_lines(loaded, out)


def load_all(
    paths: Sequence[str | Path],
    worker_file: str | Path | None,
    checks: tuple[Check, ...],
) -> Loaded:
    """Connectors and the worker's settings they depend on, as one list of problems."""
    worker = load_worker(worker_file)
    config = worker.config or WorkerConfig()
    loaded = load(paths, worker=config, checks=checks)
    return replace(loaded, problems=(*worker.problems, *loaded.problems))


def _by_file(loaded: Loaded) -> dict[str, list[Problem]]:
    """Problems of each file; files without any have an empty list."""
    grouped: dict[str, list[Problem]] = {file: [] for file in loaded.files}
    for problem in loaded.problems:
        grouped.setdefault(problem.file, []).append(problem)
    return grouped


def _verdict(problems: Iterable[Problem]) -> str:
    errors = sum(problem.is_error for problem in problems)
    if errors == 0:
        return "OK"
    return "1 error" if errors == 1 else f"{errors} errors"


def _print_lines(loaded: Loaded, out: TextIO) -> None:
    for file, problems in _by_file(loaded).items():
        out.writelines(f"{problem.severity.value}: {problem}\n" for problem in problems)
        out.write(f"{file}: {_verdict(problems)}\n")


def _print_json(loaded: Loaded, out: TextIO) -> None:
    files = files_as_objects(loaded)
    json.dump({"valid": not loaded.errors, "files": files}, out, indent=2, ensure_ascii=False)
    out.write("\n")


def files_as_objects(loaded: Loaded) -> list[dict[str, object]]:
    """Per file whether it is valid, and what is wrong."""
    return [
        {
            "file": file,
            "valid": not any(problem.is_error for problem in problems),
            "problems": [asdict(problem) for problem in problems],
        }
        for file, problems in _by_file(loaded).items()
    ]


def _print_table(loaded: Loaded, out: TextIO) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

    console = Console(file=out)
    for file, problems in _by_file(loaded).items():
        is_valid = not any(problem.is_error for problem in problems)
        console.print(Text(f"{file}: {_verdict(problems)}", "green" if is_valid else "bold red"))
        if problems:
            console.print(_table(problems))


def _table(problems: Sequence[Problem]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415 - only a terminal pays for it

    table = Table("", "key", "value", "what is wrong", "did you mean", show_lines=False)
    for problem in problems:
        cells = (
            problem.severity.value,
            problem.key or "",
            problem.value if problem.value is not None else "",
            problem.expected,
            problem.suggestion or "",
        )
        table.add_row(*(Text(cell) for cell in cells), style=None if problem.is_error else "dim")
    return table
