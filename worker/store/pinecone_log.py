"""How much of what was written Pinecone shows: by the numbers that it gives to writes.

Each write of a namespace gets a log sequence number, and a query says up to which one it has seen
(https://docs.pinecone.io/guides/index-data/check-data-freshness). A fetch does not say so, and may
be a little behind a query, or ahead of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinecone.errors import NotFoundError, PineconeConnectionError

from worker.store.pinecone_errors import FAILURES, is_refusal, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.store.pinecone_connection import PineconeConnection
    from worker.store.pinecone_index import IndexWithoutRetries, Shape

_NOBODY: Final = "vecsink-end-of-log-8d5c2f0e-3f43-4a2c-9a49-6a0f7b6c1e57"
"""An id that no row has: to delete it changes nothing, and has a number all the same."""


class PineconeLog:
    """See ``WriteLog``. A namespace that does not exist yet has no numbers."""

    def __init__(self, connection: PineconeConnection) -> None:
        self._connection = connection

    def mark(self, namespace: str) -> int | None:
        """The number of a deletion of nothing."""
        return self._asked(namespace, lambda index, _: index.delete_numbered(namespace, _NOBODY))

    def shown_to(self, namespace: str) -> int | None:
        """What the cheapest query says; its vector is of no importance, but must not be zero."""

        def query(index: IndexWithoutRetries, shape: Shape) -> int | None:
            answer = index.query(namespace=namespace, vector=[1.0] * shape.dimensions, top_k=1)
            return None if answer.response_info is None else answer.response_info.lsn_reconciled

        return self._asked(namespace, query)

    def _asked(
        self, namespace: str, ask: Callable[[IndexWithoutRetries, Shape], int | None]
    ) -> int | None:
        try:
            return ask(*self._connection.index())
        except FAILURES as error:
            if isinstance(error, NotFoundError) or is_refusal(error):
                return None
            if isinstance(error, PineconeConnectionError):
                self._connection.doubt()
            raise translated(error, f"log number of {namespace}") from error
