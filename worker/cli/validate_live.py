"""``vecsink validate --live``: the files, and then what they need outside."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

from worker.cli.errors import ExitCode
from worker.cli.validate import files_as_objects, load_all, print_files
from worker.clock import SystemClock
from worker.config.load_worker import load_worker
from worker.live.check import Verdict
from worker.live.connector import checks_of
from worker.throttle.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from worker.config.load import Loaded
    from worker.config.read import Check as Rule
    from worker.live.check import Check

_COLOURS = {Verdict.OK: "green", Verdict.WRONG: "bold red", Verdict.AWAY: "yellow"}


def validate_live(
    paths: Sequence[str | Path],
    *,
    worker_file: str | Path | None = None,
    checks: tuple[Rule, ...] = (),
    as_json: bool = False,
    out: TextIO | None = None,
) -> ExitCode:
    """Check the files as ``validate`` does, then ask what every good one of them needs.

    One line per question and connector as the answers come, one JSON object with ``as_json``.
    """
    stream = sys.stdout if out is None else out
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    loaded = load_all(paths, worker_file, checks)
    asked = _answers(loaded, worker_file)
    if as_json:
        answers = list(asked)
        _print_json(loaded, answers, stream)
    else:
        print_files(loaded, stream)
        answers = [_printed(answer, stream) for answer in asked]
    return _code(loaded, answers)


def _answers(loaded: Loaded, worker_file: str | Path | None) -> Iterator[Check]:
    """Of the connectors without mistakes; none if the worker's settings have one."""
    worker = load_worker(worker_file).config
    if worker is None:
        return
    accounts = Accounts(SystemClock())
    broken = {problem.file for problem in loaded.errors}
    for config in loaded.connectors:
        if config.file not in broken:
            yield from checks_of(worker, config, accounts)


def _code(loaded: Loaded, answers: Sequence[Check]) -> ExitCode:
    """What is wrong goes before what is away."""
    verdicts = {answer.verdict for answer in answers}
    if loaded.errors or Verdict.WRONG in verdicts:
        return ExitCode.CONFIG
    return ExitCode.ENVIRONMENT if Verdict.AWAY in verdicts else ExitCode.OK


def _printed(answer: Check, out: TextIO) -> Check:
    from rich.console import Console  # noqa: PLC0415 - made where it is needed
    from rich.text import Text  # noqa: PLC0415

    line = Text(f"{answer.connector}: {answer.subject}: ")
    line.append(answer.verdict.value, _COLOURS[answer.verdict])
    line.append(f": {answer.detail}")
    Console(file=out).print(line, highlight=False, soft_wrap=True)
    return answer


def _print_json(loaded: Loaded, answers: Sequence[Check], out: TextIO) -> None:
    is_good = _code(loaded, answers) is ExitCode.OK
    live = [asdict(answer) for answer in answers]
    shown = {"valid": is_good, "files": files_as_objects(loaded), "live": live}
    json.dump(shown, out, indent=2, ensure_ascii=False)
    out.write("\n")
