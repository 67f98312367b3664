"""Levels of loggers are the process's; tests give them back as they were."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kept() -> Iterator[None]:
    """Restore every level at the end; loggers that are new then have none."""
    before = {one: one.level for one in _all()}
    yield
    for one in _all():
        one.setLevel(before.get(one, logging.NOTSET))


def _all() -> list[logging.Logger]:
    named = list(logging.root.manager.loggerDict.values())
    return [logging.root, *(one for one in named if isinstance(one, logging.Logger))]
