"""Writing points when a store refuses a whole request for the sake of one of them.

A refused request is halved until the points at fault stand alone. Where nothing at all gets
through for one and the same reason, the points are not at fault: the task has to stop, and no
topic may drain into a dead-letter queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from worker.errors import FatalError
from worker.store.port import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.errors import RecordError


class Identified(Protocol):
    """What is sent for a point."""

    @property
    def id(self) -> str:
        """The point's."""
        ...


P = TypeVar("P", bound=Identified)
E = TypeVar("E", bound=Exception)


class Halving(Generic[P, E]):
    """One upsert of some requests: sends, and keeps what was refused."""

    def __init__(
        self,
        attempt: Callable[[list[P]], E | None],
        *,
        reason: Callable[[str, E], str],
        record_error: Callable[[E], RecordError],
        hopeless: str,
    ) -> None:
        """How a store writes and speaks.

        Args:
            attempt: writes a request; the answer is why the store refuses it for a point in it.
                Everything else is raised.
            reason: the refusal of a point, by its id, in words that are the same for others.
            record_error: what a point's refusal is for its record.
            hopeless: the sentence that ends with it.
        """
        self._attempt = attempt
        self._reason = reason
        self._hopeless = hopeless
        self._record_error = record_error
        self._written = 0
        self._refused: dict[str, E] = {}

    def send(self, request: list[P]) -> None:
        """Write a request, or as much of it as the store takes.

        Raises:
            FatalError: points are refused one by one, for the same reason, and none is written.
        """
        pending = [request]
        while pending:
            points = pending.pop()
            error = self._attempt(points)
            if error is None:
                self._written += len(points)
            elif len(points) > 1:
                # every other one, so that the first to stand alone are spread over the request
                pending += [points[1::2], points[::2]]
            else:
                self._refused[points[0].id] = error
                self._stop_if_hopeless()

    def refused(self) -> dict[str, RecordError]:
        """The points at fault, by id."""
        return {point_id: self._record_error(error) for point_id, error in self._refused.items()}

    def _stop_if_hopeless(self) -> None:
        if self._written or len(self._refused) != ENOUGH:
            return
        reasons = {self._reason(point_id, error) for point_id, error in self._refused.items()}
        if len(reasons) == 1:
            raise FatalError(f"{self._hopeless}: {reasons.pop()}")
