"""Writing points when Pinecone refuses a whole request for the sake of one of them.

A refused request is halved until the points at fault stand alone. Where nothing at all gets
through for one and the same reason, the points are not at fault: the task has to stop, and no
topic may drain into a dead-letter queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinecone.errors import PineconeError

from worker.errors import FatalError
from worker.store.pinecone_errors import (
    blanked,
    is_about_dimensions,
    is_refusal,
    record_error,
    translated,
)

if TYPE_CHECKING:
    from pinecone import Index

    from worker.errors import RecordError
    from worker.store.pinecone_requests import Prepared

ENOUGH: Final = 8
"""So many points refused alone, for one reason and with none written, are all of them."""


class Upsert:
    """One upsert of some requests: sends, and keeps what was refused."""

    def __init__(self, index: Index, namespace: str) -> None:
        self._index = index
        self._namespace = namespace
        self._written = 0
        self._refused: dict[str, PineconeError] = {}

    def send(self, request: list[Prepared]) -> None:
        """Write a request, or as much of it as Pinecone takes.

        Raises:
            PineconeError: what is not about a point: outages, keys, a missing index.
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
                self._stop_if_enough()

    def refused(self) -> dict[str, RecordError]:
        """The points at fault.

        Raises:
            FatalError: several points, all of them, and for the same reason.
        """
        if len(self._refused) > 1:
            self._stop_if_hopeless()
        return {point_id: record_error(error) for point_id, error in self._refused.items()}

    def _try(self, points: list[Prepared]) -> PineconeError | None:
        try:
            self._index.upsert(
                vectors=[point.vector for point in points], namespace=self._namespace
            )
        except PineconeError as error:
            if is_about_dimensions(error):
                raise translated(error, f"upsert to {self._namespace}") from error
            if not is_refusal(error):
                raise
            return error
        return None

    def _stop_if_enough(self) -> None:
        if len(self._refused) == ENOUGH:
            self._stop_if_hopeless()

    def _stop_if_hopeless(self) -> None:
        reasons = {
            blanked(error).replace(point_id, "…") for point_id, error in self._refused.items()
        }
        if self._written == 0 and len(reasons) == 1:
            raise FatalError(
                f"Pinecone refuses every point in {self._namespace}, tried one by one: "
                f"{reasons.pop()}"
            )
