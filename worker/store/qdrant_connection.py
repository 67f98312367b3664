"""The client of a Qdrant store, opened when it is needed, and what the collection takes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from worker.errors import FatalError
from worker.store import qdrant_collection as collection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_client import QdrantClient

    from worker.model import Point
    from worker.store.qdrant_config import QdrantConfig


class QdrantConnection:
    """Thread-safe; connects at the first call. Failures of the client pass as they are."""

    def __init__(self, config: QdrantConfig) -> None:
        self._config = config
        self._client: QdrantClient | None = None
        self._shape: collection.Shape | None = None
        self._lock = threading.Lock()

    def client(self) -> QdrantClient:
        """The vendor's client."""
        with self._lock:
            if self._client is None:
                self._client = collection.connected(self._config)
            return self._client

    def shape(self) -> collection.Shape:
        """What the collection takes, as it was last looked at.

        Raises:
            FatalError: there is no such collection, or it has no vector of that name.
        """
        if self._shape is None:
            self._shape = collection.shape_of(self.client(), self._config)
        return self._shape

    def check(self, dimensions: int) -> collection.Shape:
        """Look at the collection as it is now.

        Raises:
            FatalError: as ``shape``; it takes other vectors, or lacks payload indexes.
        """
        shape = collection.shape_of(self.client(), self._config)
        if shape.dimensions != dimensions:
            raise FatalError(
                f"the Qdrant collection {self._config.index!r} takes {shape.dimensions} "
                f"dimensions, the model makes {dimensions}: choose another collection or another "
                "model"
            )
        collection.expect_indexes(self.client(), self._config)
        self._shape = shape
        return shape

    def expect(self, points: Sequence[Point]) -> None:
        """Look at the length of vectors.

        Raises:
            FatalError: the collection takes others.
        """
        for point in points:
            if point.vector.size != self.shape().dimensions:
                raise FatalError(
                    f"the Qdrant collection {self._config.index!r} takes "
                    f"{self.shape().dimensions} dimensions, a vector has {point.vector.size}"
                )

    def renew(self) -> None:
        """Have the next call connect anew; the old connection closes with its last call."""
        with self._lock:
            self._client = None

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        with self._lock:
            client, self._client, self._shape = self._client, None, None
        if client is not None:
            client.close()
