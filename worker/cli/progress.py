"""How far a run is: a bar on a terminal, plain lines elsewhere, and one sentence at the end."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.progress import Task as BarTask

    from worker.runtime.supervisor import RunningTask

_LINE_EVERY_S = 5.0
_ROWS = "rows"


class Display(Protocol):
    """Something that shows progress."""

    def update(self, tasks: Sequence[RunningTask]) -> None:
        """Called several times a second from the main thread."""
        ...

    def close(self) -> None:
        """Leave the screen in order."""
        ...


class Bar:
    """A progress bar: rows, rows per second, time left."""

    def __init__(self, console: Console) -> None:
        self._progress = _bar(console)
        self._bars: dict[str, int] = {}
        self._progress.start()

    def update(self, tasks: Sequence[RunningTask]) -> None:
        """Draw one bar per connector."""
        for connector, (done, total) in _by_connector(tasks).items():
            if connector not in self._bars:
                self._bars[connector] = self._progress.add_task(connector, total=total)
            self._progress.update(self._bars[connector], completed=done, total=total)  # type: ignore[arg-type]

    def close(self) -> None:
        """Keep the last state on the screen."""
        self._progress.stop()


def _bar(console: Console, unit: str = _ROWS) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        _Speed(unit),
        TimeRemainingColumn(),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _Speed(ProgressColumn):
    """Per second, over the last half minute."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: BarTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s")


class Lines:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, console: Console, unit: str = _ROWS) -> None:
        self._console = console
        self._unit = unit
        self._began_s = time.monotonic()
        self._due_s = self._began_s + _LINE_EVERY_S

    def update(self, tasks: Sequence[RunningTask]) -> None:
        """Print if it is time to."""
        self.show(_by_connector(tasks))

    def show(self, progress: Mapping[str, tuple[int, int]]) -> None:
        """The same, by name: what is done, and of how much."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _LINE_EVERY_S
        for connector, (done, total) in progress.items():
            line = progress_line(connector, done, total, now_s - self._began_s, self._unit)
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Nothing to leave."""


class ConsoleHandler(logging.Handler):
    """Logs through the console that draws the bar, so that the two do not overwrite each other."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        self._console.print(
            self.format(record), markup=False, highlight=False, emoji=False, soft_wrap=True
        )


@dataclass(frozen=True, slots=True)
class RecordProgress:
    """Is told of new records, and of what has to be said beside them."""

    advance: Callable[[int], None]
    console: Console

    def __call__(self, records: int) -> None:
        """So many more."""
        self.advance(records)

    def say(self, text: str) -> None:
        """A line of its own."""
        self.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def record_progress(name: str, total: int, unit: str = _ROWS) -> Iterator[RecordProgress]:
    """A bar on a terminal, else a line every few seconds."""
    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console, unit) as bar:
            task = bar.add_task(name, total=total)
            yield RecordProgress(lambda records: bar.update(task, advance=records), console)
        return
    lines = Lines(console, unit)
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        lines.show({name: (done, total)})

    yield RecordProgress(advance, console)


def progress_line(connector: str, done: int, total: int, seconds: float, unit: str = _ROWS) -> str:
    """How far a connector is after so many seconds."""
    rate = done / seconds
    if done >= total:
        left = "all there is"
    else:
        left = (
            f"{(total - done) / rate:,.0f} s left"
            if rate
            else f"waiting for the first {unit.removesuffix('s')}"
        )
    return f"{connector}: {done:,}/{total:,} {unit}, {rate:,.0f} {unit}/s, {left}"


def totals(tasks: Sequence[RunningTask]) -> Counters:
    """The sum of what the tasks have done."""
    total = Counters()
    for task in tasks:
        if task.assembled is not None:
            total = total.merged(task.assembled.task.counters)
    return total


def _by_connector(tasks: Sequence[RunningTask]) -> dict[str, tuple[int, int]]:
    """Offsets done and to do; what other workers of the group do counts too."""
    found: dict[str, tuple[int, int]] = {}
    for task in tasks:
        goal = task.assembled.goal if task.assembled else None
        if goal is None or goal.left is None:
            continue
        done = totals([t for t in tasks if t.spec.connector == task.spec.connector]).finished
        left = goal.left
        found[task.spec.connector] = (
            goal.total if left == 0 else min(max(done, goal.total - left), goal.total),
            goal.total,
        )
    return found
