"""Logs on stderr: text for people, or one JSON object per line for machines."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import orjson

CHATTY = ("httpx", "httpcore", "pinecone", "sentence_transformers", "transformers")
"""Libraries that would write a line per request, or what is in it."""

_WARNS_OF_WHAT_IS_RAISED = "psycopg"
"""It warns of each error that follows from another one, such as every pipeline that was aborted."""


class JsonFormatter(logging.Formatter):
    """One event per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time in UTC, level, logger, task (the thread's name) and message."""
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "task": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(event).decode()


_TEXT = logging.Formatter("%(asctime)s %(levelname)-7s %(threadName)s  %(message)s")


def set_up_logs(level: str, log_format: str, handler: logging.Handler | None = None) -> None:
    """Configure the root logger.

    Args:
        level: a name of the logging module.
        log_format: ``text`` or ``json``.
        handler: where to write; stderr if None.
    """
    handler = handler or logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else _TEXT)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger(_WARNS_OF_WHAT_IS_RAISED).setLevel(logging.ERROR)
