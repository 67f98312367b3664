"""How far the snapshot is: rows, and rows per second since the first of them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console


@contextmanager
def bar(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; its last state stays."""
    began_s = time.monotonic()
    progress = Progress(
        TextColumn("[bold green]Snapshot "),
        BarColumn(bar_width=36),
        TextColumn("{task.description}"),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with progress:
        task = progress.add_task(_figures(0, total, 0.0), total=total)

        def advance(done: int) -> None:
            figures = _figures(done, total, time.monotonic() - began_s)
            progress.update(task, completed=done, description=figures)

        yield advance


def line(done: int, total: int, seconds: float) -> str:
    """The same as a line."""
    return f"Snapshot  {_figures(done, total, seconds)}"


def _figures(done: int, total: int, seconds: float) -> str:
    rate = f", {done / seconds:,.0f} rows/s" if done and seconds > 0 else ""
    return f"{done:,}/{total:,} rows{rate}"
