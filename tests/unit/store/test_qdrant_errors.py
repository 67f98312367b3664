"""Errors of Qdrant's client in the worker's words."""

from __future__ import annotations

from qdrant_client.http.exceptions import ResponseHandlingException

from worker.errors import FatalError
from worker.store.qdrant_errors import translated


def test_an_error_of_ours_that_came_through_the_client_stays_itself() -> None:
    """As when the certificate authorities cannot be read."""
    ours = FatalError("see SSL_CERT_FILE")
    assert translated(ResponseHandlingException(ours), "upsert") is ours
