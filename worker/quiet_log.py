"""Log lines that an outage would repeat a thousand times, said once in a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import logging

    from worker.clock import Clock


class QuietLog:
    """Says each kind of warning at most every ``EVERY_S`` seconds."""

    EVERY_S: ClassVar[float] = 30.0

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._said_s: dict[object, float] = {}

    def warn(self, kind: object, message: str, *args: object) -> None:
        """Log a warning unless one of its kind was logged lately."""
        if self.is_due(kind):
            self._log.warning(message, *args)

    def is_due(self, kind: object) -> bool:
        """Whether nothing of its kind was logged lately; if so, it is logged now."""
        now_s = self._clock.now_s()
        said_s = self._said_s.get(kind)
        if said_s is not None and now_s - said_s < self.EVERY_S:
            return False
        self._said_s[kind] = now_s
        return True
