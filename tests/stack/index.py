"""The index as Pinecone's official client shows it, compared with what a table says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pinecone import Pinecone, ServerlessSpec

from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from tests.stack.shops import Expected

DIMENSIONS = 32
OURS = {"source_table", "updated_at"}


@dataclass(frozen=True, slots=True)
class Index:
    """One index of the Pinecone-compatible server."""

    url: str
    name: str

    @classmethod
    def create(cls, url: str, name: str) -> Index:
        """A new, empty index."""
        with Pinecone(api_key="test", host=url) as client:
            client.create_index(
                name=name,
                dimension=DIMENSIONS,
                metric="cosine",
                spec=ServerlessSpec(cloud="aws", region="us-east-1"),
            )
        return cls(url, name)

    def points(self, namespace: str) -> dict[str, Any]:
        """Everything in a namespace, by id."""
        found: dict[str, Any] = {}
        with Pinecone(api_key="test", host=self.url) as client, client.index(self.name) as index:
            ids = [item for page in index.list(namespace=namespace) for item in _ids(page)]
            for start in range(0, len(ids), 100):
                found |= index.fetch(ids=ids[start : start + 100], namespace=namespace).vectors
        return found

    def assert_equals(
        self,
        namespace: str,
        expected: Mapping[str, Expected],
        vectors_of: Callable[[Sequence[str]], NDArray[np.float32]] | None = None,
    ) -> None:
        """Ids, metadata and the vector of the current text are those of the table.

        The vectors are those of the fake embedder unless somebody else is said to make them.
        """
        points = self.points(namespace)
        assert sorted(points) == sorted(expected)
        if not expected:
            return
        ids = list(expected)
        texts = [expected[point].text for point in ids]
        vectors = (vectors_of or _fake_vectors)(texts)
        for point, vector in zip(ids, vectors, strict=True):
            metadata = _user_metadata(points[point].metadata)
            assert metadata == expected[point].metadata, point
            assert np.allclose(points[point].values, vector, atol=1e-6), point

    def differing(
        self,
        namespace: str,
        expected: Mapping[str, Expected],
        vectors_of: Callable[[Sequence[str]], NDArray[np.float32]],
    ) -> set[str]:
        """Ids of the points that are not as expected, are missing, or should not be there."""
        points = self.points(namespace)
        wrong = points.keys() ^ expected.keys()
        for point in points.keys() & expected.keys():
            (vector,) = vectors_of([expected[point].text])
            is_right = _user_metadata(points[point].metadata) == expected[point].metadata
            if not (is_right and np.allclose(points[point].values, vector, atol=1e-6)):
                wrong.add(point)
        return wrong


def _fake_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    embedder = FakeEmbedder(FakeConfig(dimensions=DIMENSIONS))
    return embedder.embed(texts, Purpose.DOCUMENT).vectors


def _ids(page: Any) -> list[str]:
    return [getattr(item, "id", item) for item in page]


def _user_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    assert set(metadata) >= OURS
    return {
        key: value for key, value in metadata.items() if not key.startswith("_") and key not in OURS
    }
