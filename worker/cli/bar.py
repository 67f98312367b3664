"""A progress bar on a terminal, and logs that do not overwrite it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from worker.cli.progress import ROWS, by_connector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.progress import Task as BarTask

    from worker.runtime.supervisor import RunningTask


class Bar:
    """Rows, rows per second, time left; drawn from the first ``update`` on."""

    def __init__(self) -> None:
        self._progress = bar()
        self._bars: dict[str, int] = {}
        self.handler: logging.Handler | None = ConsoleHandler(self._progress.console)

    def update(self, tasks: Sequence[RunningTask]) -> None:
        """Draw one bar per connector."""
        self._progress.start()
        for connector, (done, total) in by_connector(tasks).items():
            if connector not in self._bars:
                self._bars[connector] = self._progress.add_task(connector, total=total)
            self._progress.update(self._bars[connector], completed=done, total=total)  # type: ignore[arg-type]

    def close(self) -> None:
        """Keep the last state on the screen."""
        self._progress.stop()


def bar(unit: str = ROWS) -> Progress:
    """On stderr, of these units."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        _Speed(unit),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,
        redirect_stderr=False,
    )


def line_by(console: Console) -> Callable[[str], None]:
    """What prints a line as it is, beside whatever the console draws."""

    def write(line: str) -> None:
        console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    return write


class _Speed(ProgressColumn):
    """Per second, over the last half minute."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: BarTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s")


class ConsoleHandler(logging.Handler):
    """Logs through the console that draws the bar, so that the two do not overwrite each other."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._write = line_by(console)

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        self._write(self.format(record))
