"""Writing points to Qdrant, which refuses a whole request for the sake of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_client import models

from worker.errors import RetriableError
from worker.store.halving import Halving
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

    from worker.store.qdrant_points import Prepared


def upsert(
    write: Callable[[Sequence[Prepared]], models.UpdateStatus], collection: str
) -> Halving[Prepared, Exception]:
    """An upsert; its ``send`` also raises what is not about a point, such as outages."""

    def attempt(points: list[Prepared]) -> Exception | None:
        try:
            status = write(points)
        except FAILURES as error:
            if is_about_dimensions(error):
                raise translated(error, f"upsert to {collection}") from None
            if not is_refusal(error):
                raise
            return error
        expect_done(status)
        return None

    return Halving(
        attempt,
        reason=lambda _, error: blanked(error),
        record_error=record_error,
        hopeless=f"Qdrant refuses every point for {collection}, tried one by one",
    )


def expect_done(status: models.UpdateStatus) -> None:
    """Nothing counts as written before readers see it.

    Raises:
        RetriableError: the server has it in its log, but has not carried it out in time.
    """
    if status is not models.UpdateStatus.COMPLETED:
        raise RetriableError(f"Qdrant has not carried out a write in time ({status.value})")
