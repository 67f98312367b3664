"""Writing points when Qdrant refuses a whole request for the sake of one of them.

A refused request is halved until the points at fault stand alone. Where nothing at all gets
through for one and the same reason, the points are not at fault: the task has to stop, and no
topic may drain into a dead-letter queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_client import models

from worker.errors import FatalError, RetriableError
from worker.store.port import ENOUGH
from worker.store.qdrant_errors import (
    FAILURES,
    blanked,
    is_about_dimensions,
    is_refusal,
    record_error,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.errors import RecordError
    from worker.store.qdrant_points import Prepared


class Upsert:
    """One upsert of some requests: sends, and keeps what was refused."""

    def __init__(
        self, write: Callable[[Sequence[Prepared]], models.UpdateStatus], collection: str
    ) -> None:
        self._write = write
        self._collection = collection
        self._written = 0
        self._refused: dict[str, Exception] = {}

    def send(self, request: list[Prepared]) -> None:
        """Write a request, or as much of it as Qdrant takes.

        Raises:
            FAILURES: what is not about a point: outages, keys, a missing collection.
            RetriableError: it was taken, but not carried out in time.
            FatalError: points are refused one by one, for the same reason, and none is written.
        """
        pending = [request]
        while pending:
            points = pending.pop()
            error = self._try(points)
            if error is None:
                self._written += len(points)
            elif len(points) > 1:
                # every other one, so that the first to stand alone are spread over the request
                pending += [points[1::2], points[::2]]
            else:
                self._refused[points[0].id] = error
                self._stop_if_hopeless()

    def refused(self) -> dict[str, RecordError]:
        """The points at fault."""
        return {point_id: record_error(error) for point_id, error in self._refused.items()}

    def _try(self, points: list[Prepared]) -> Exception | None:
        try:
            status = self._write(points)
        except FAILURES as error:
            if is_about_dimensions(error):
                raise translated(error, f"upsert to {self._collection}") from None
            if not is_refusal(error):
                raise
            return error
        expect_done(status)
        return None

    def _stop_if_hopeless(self) -> None:
        if len(self._refused) != ENOUGH:
            return
        reasons = {blanked(error) for error in self._refused.values()}
        if self._written == 0 and len(reasons) == 1:
            raise FatalError(
                f"Qdrant refuses every point for {self._collection}, tried one by one: "
                f"{reasons.pop()}"
            )


def expect_done(status: models.UpdateStatus) -> None:
    """Nothing counts as written before readers see it.

    Raises:
        RetriableError: the server has it in its log, but has not carried it out in time.
    """
    if status is not models.UpdateStatus.COMPLETED:
        raise RetriableError(f"Qdrant has not carried out a write in time ({status.value})")
