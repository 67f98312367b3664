"""Writing points to Pinecone, which refuses a whole request for the sake of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinecone.errors import PineconeError

from worker.store.halving import Halving
from worker.store.pinecone_errors import (
    blanked,
    is_about_dimensions,
    is_refusal,
    record_error,
    translated,
)
from worker.store.pinecone_requests import Body

if TYPE_CHECKING:
    from worker.store.pinecone_index import IndexWithoutRetries
    from worker.store.pinecone_requests import Prepared


def upsert(index: IndexWithoutRetries, namespace: str) -> Halving[Prepared, PineconeError]:
    """An upsert; its ``send`` also raises what is not about a point, such as outages."""

    def attempt(points: list[Prepared]) -> PineconeError | None:
        try:
            index.upsert_body(Body(points, namespace))
        except PineconeError as error:
            if is_about_dimensions(error):
                raise translated(error, f"upsert to {namespace}") from error
            if not is_refusal(error):
                raise
            return error
        return None

    return Halving(
        attempt,
        reason=lambda point_id, error: blanked(error).replace(point_id, "…"),
        record_error=record_error,
        hopeless=f"Pinecone refuses every point in {namespace}, tried one by one",
    )
