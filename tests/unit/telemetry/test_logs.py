"""What the worker's log lets through."""

from __future__ import annotations

import logging
from io import StringIO

from tests.unit.telemetry.logger_levels import kept
from worker.telemetry.logs import set_up_logs


def test_psycopg_does_not_warn_of_what_follows_from_an_error() -> None:
    written = StringIO()
    root = logging.getLogger()
    handlers = root.handlers[:]
    with kept():
        set_up_logs("INFO", "text", logging.StreamHandler(written))
        logging.getLogger("psycopg").warning("error ignored terminating a pipeline")
        logging.getLogger("psycopg").error("an error")
        logging.getLogger("worker").warning("a warning")
    root.handlers[:] = handlers
    said = [line.rpartition("  ")[2] for line in written.getvalue().splitlines()]
    assert said == ["an error", "a warning"]
