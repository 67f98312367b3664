"""How many texts were embedded by when, by asking the provider again and again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.main_job.servers import Servers

_LOOK_EVERY_S = 0.1
_SPAN_S = 0.5
"""A rate is one over so long."""
_FULL = 0.8
"""Of the rate before, as a rate over half a second is a rough one."""


@dataclass(frozen=True, slots=True)
class Look:
    """The provider's counts at a moment."""

    at_s: float
    texts: int
    limited: int


class Timeline:
    """Looks while it is open."""

    def __init__(self, servers: Servers) -> None:
        self._provider = servers.provider
        self._looks: list[Look] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def back_at_rate_s(self, limited_s: float) -> float:
        """Seconds from the end of a limit, which is so long after the first 429, to full rate.

        The rate is full when half a second brings what it brought before the limit on average.
        """
        first = next(look for look in self._looks if look.limited)
        before = [look for look in self._looks if look.texts and not look.limited]
        rate = (before[-1].texts - before[0].texts) / (before[-1].at_s - before[0].at_s)
        end_s = first.at_s + limited_s
        after = [look for look in self._looks if look.at_s >= end_s]
        for look in after:
            texts = self._texts_at(look.at_s + _SPAN_S) - look.texts
            if texts >= _FULL * rate * _SPAN_S:
                return look.at_s - end_s
        return after[-1].at_s - end_s

    def _texts_at(self, at_s: float) -> int:
        return next((look.texts for look in self._looks if look.at_s >= at_s), 0)

    def _look_on(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            counts = self._provider.stats("cohere")
            self._looks.append(Look(time.monotonic(), counts["texts"], counts["limited"]))
