"""``python -m worker.demo.picture FILE.svg``: runs the demo and draws what it printed."""

from __future__ import annotations

import io
import logging
import sys
import threading

from rich.console import Console

from worker.demo.demo import run
from worker.demo.show import Show
from worker.telemetry.logs import set_up_logs

_WIDTH = 80


class Stories(Show):
    """The README has the connector's JSON already, so the picture begins with the rows."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._recorded = console

    def story(self, title: str) -> None:
        """Forget the start when the first story begins."""
        if not self._has_begun:
            self._recorded.export_text(clear=True)
        self._has_begun = True
        super().story(title)

    _has_begun = False


def draw(path: str) -> None:
    """Run the demo without a screen and write an SVG of its stories."""
    set_up_logs("CRITICAL", "text", logging.NullHandler())
    console = Console(file=io.StringIO(), record=True, width=_WIDTH, highlight=False, emoji=False)
    run(Stories(console), threading.Event())
    console.save_svg(path, title="vecsink demo")


if __name__ == "__main__":
    draw(sys.argv[1])
