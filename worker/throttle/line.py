"""Who waits: first come, first served, without anybody waiting for one who does not come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.throttle.rates import Load

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_LATE_S = 0.1
"""So late after its time a caller still goes first; threads wake up late on a busy machine."""
_GONE_S = 5.0
"""So late it is not counted any more: its task has stopped."""


class _Place(NamedTuple):
    load: Load
    back_s: float


class Line:
    """Callers that were sent away, in the order in which they first came. Not thread-safe."""

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}

    def stand(self, caller: Hashable, load: Load, back_s: float) -> None:
        """A caller comes back at ``back_s``; it keeps its place if it has one."""
        self._places[caller] = _Place(load, back_s)

    def leave(self, caller: Hashable) -> None:
        """A caller waits no longer."""
        self._places.pop(caller, None)

    def ahead(self, caller: Hashable, now_s: float) -> Load:
        """What those will take who came before this caller and are expected in time."""
        requests = inputs = tokens = 0
        for load in self._before(caller, now_s):
            requests += load.requests
            inputs += load.inputs
            tokens += load.tokens
        return Load(requests, inputs, tokens)

    def waiting(self, now_s: float) -> int:
        """How many wait."""
        for caller, place in list(self._places.items()):
            if place.back_s + _GONE_S < now_s:
                del self._places[caller]
        return len(self._places)

    def _before(self, caller: Hashable, now_s: float) -> Iterator[Load]:
        for other, place in self._places.items():
            if other == caller:
                return
            if place.back_s + _LATE_S >= now_s:
                yield place.load
