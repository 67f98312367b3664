"""How far a run is: a bar on a terminal, plain lines elsewhere, and one sentence at the end.

What draws the bar is loaded on a terminal alone.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable
from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.runtime.supervisor import RunningTask

_LINE_EVERY_S = 5.0
ROWS = "rows"


class Display(Protocol):
    """Something that shows progress on stderr."""

    @property
    def handler(self) -> logging.Handler | None:
        """What logs have to be written by, so that the two do not overwrite each other; or None."""
        ...

    def update(self, tasks: Sequence[RunningTask]) -> None:
        """Called several times a second from the main thread."""
        ...

    def close(self) -> None:
        """Leave the screen in order."""
        ...


def display() -> Display:
    """The one for this stderr."""
    if not _is_terminal():
        return Lines()
    from worker.cli.bar import Bar  # noqa: PLC0415 - rich takes 30 ms to load

    return Bar()


class Lines:
    """A line every few seconds, for logs and pipes."""

    handler = None

    def __init__(self, unit: str = ROWS) -> None:
        self._unit = unit
        self._began_s = time.monotonic()
        self._due_s = self._began_s + _LINE_EVERY_S

    def update(self, tasks: Sequence[RunningTask]) -> None:
        """Print if it is time to."""
        self.show(by_connector(tasks))

    def show(self, progress: Mapping[str, tuple[int, int]]) -> None:
        """The same, by name: what is done, and of how much."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _LINE_EVERY_S
        for connector, (done, total) in progress.items():
            line = progress_line(connector, done, total, now_s - self._began_s, self._unit)
            _to_stderr(line)

    def close(self) -> None:
        """Nothing to leave."""


@immutable
class RecordProgress:
    """Is told of new records, and of what has to be said beside them."""

    advance: Callable[[int], None]
    write: Callable[[str], None]

    def __call__(self, records: int) -> None:
        """So many more."""
        self.advance(records)

    def say(self, text: str) -> None:
        """A line of its own."""
        self.write(text)


@contextmanager
def record_progress(name: str, total: int, unit: str = ROWS) -> Iterator[RecordProgress]:
    """A bar on a terminal, else a line every few seconds."""
    if _is_terminal():
        from worker.cli.bar import bar, line_by  # noqa: PLC0415 - see ``display``

        with bar(unit) as drawn:
            task = drawn.add_task(name, total=total)
            yield RecordProgress(
                lambda records: drawn.update(task, advance=records), line_by(drawn.console)
            )
        return
    lines = Lines(unit)
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        lines.show({name: (done, total)})

    yield RecordProgress(advance, _to_stderr)


def _is_terminal() -> bool:
    """A process may have been started without a stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def _to_stderr(line: str) -> None:
    if sys.stderr is None:  # print would take stdout instead
        return
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what a person sees


def progress_line(connector: str, done: int, total: int, seconds: float, unit: str = ROWS) -> str:
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


def by_connector(tasks: Sequence[RunningTask]) -> dict[str, tuple[int, int]]:
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
