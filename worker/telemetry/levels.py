"""Levels of loggers, read and changed while the worker runs; the words are Kafka Connect's.

Python's loggers are one tree per process, and so is what is remembered of them here.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.telemetry.logs import CHATTY

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "root"
_LEVELS = {
    "ALL": 1,
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "OFF": logging.CRITICAL + 10,
}
_changed_ms: dict[str, int] = {}


@immutable
class LoggerLevel:
    """What one logger lets through."""

    level: str
    last_modified_ms: int | None
    """When it was changed by ``set_level``; None if it never was."""


def is_level(text: str) -> bool:
    """Whether ``set_level`` takes it, in capitals or not."""
    return text.upper() in _LEVELS


def levels() -> dict[str, LoggerLevel]:
    """The loggers that have a level of their own, sorted by name."""
    explicit = sorted(logger.name for logger in _loggers() if logger.level != logging.NOTSET)
    return {name: _level(name) for name in (ROOT, *explicit)}


def level_of(name: str) -> LoggerLevel | None:
    """Its own level or the one that it inherits; None if there is no such logger."""
    name = _named(name)
    if name != ROOT and name not in logging.root.manager.loggerDict:
        return None
    return _level(name)


def set_level(name: str, level: str) -> list[str]:
    """Change a logger and all below it; the names of those, sorted.

    Loggers of libraries that would write what they send are left alone by a change of the root.

    Raises:
        ValueError: no such level, or one that would make such a library talk.
    """
    name, number = _named(name), _LEVELS.get(level.upper())
    if number is None:
        raise ValueError(f"invalid log level '{level}'.")
    if _is_chatty(name) and number < logging.INFO:
        raise ValueError(f"Logger {name} would write what is sent: INFO is its lowest level.")
    chosen = _logger(name)
    below = [one for one in _loggers() if _is_below(one.name, name) and not _is_chatty(one.name)]
    now_ms = int(time.time() * 1000)
    for one in (chosen, *(child for child in below if child.level != logging.NOTSET)):
        one.setLevel(number)
        _changed_ms[one.name] = now_ms
    return sorted({name, *(one.name for one in below)})


def _loggers() -> Iterator[logging.Logger]:
    """All that somebody asked for, the root apart."""
    for found in list(logging.root.manager.loggerDict.values()):
        if isinstance(found, logging.Logger):
            yield found


def _named(name: str) -> str:
    """The root in any case of letters, as in Connect."""
    return ROOT if name.lower() == ROOT else name


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)


def _is_below(name: str, ancestor: str) -> bool:
    return ancestor == ROOT or name.startswith(f"{ancestor}.")


def _is_chatty(name: str) -> bool:
    return name.startswith(tuple(f"{one}." for one in CHATTY)) or name in CHATTY


def _level(name: str) -> LoggerLevel:
    effective = _logger(name).getEffectiveLevel()
    known = [word for word, number in _LEVELS.items() if number <= effective]
    return LoggerLevel(known[-1] if known else "ALL", _changed_ms.get(name))
