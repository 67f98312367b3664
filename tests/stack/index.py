"""The index as the vendor's own client shows it, compared with what a table says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import orjson
import psycopg
from pinecone import Pinecone, ServerlessSpec
from psycopg import sql

from tests.stack.ports import HOST
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from tests.stack.postgres import Postgres
    from tests.stack.shops import Expected

DIMENSIONS = 32
OURS = {"source_table", "updated_at"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A point; the metadata has ours beside the user's."""

    values: Sequence[float]
    metadata: Mapping[str, Any]


class Index(ABC):
    """What a connector writes to, and what it holds."""

    shows_writes_late: ClassVar[bool] = False
    """Whether its store has a ``store.settle.ms``."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """The connector's ``store…`` keys."""

    @abstractmethod
    def points(self, namespace: str) -> Mapping[str, Seen]:
        """Everything in a namespace, by id."""

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


@dataclass(frozen=True, slots=True)
class PineconeIndex(Index):
    """One index of the Pinecone-compatible server."""

    shows_writes_late: ClassVar[bool] = True

    url: str
    name: str

    @classmethod
    def create(cls, url: str, name: str) -> PineconeIndex:
        """A new, empty index."""
        with Pinecone(api_key="test", host=url) as client:
            client.create_index(
                name=name,
                dimension=DIMENSIONS,
                metric="cosine",
                spec=ServerlessSpec(cloud="aws", region="us-east-1"),
            )
        return cls(url, name)

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "store": "pinecone",
            "store.index": self.name,
            "store.url": self.url,
            "store.api.key": "test",
        }

    def points(self, namespace: str) -> Mapping[str, Seen]:
        found: dict[str, Any] = {}
        with Pinecone(api_key="test", host=self.url) as client, client.index(self.name) as index:
            ids = [item for page in index.list(namespace=namespace) for item in _ids(page)]
            for start in range(0, len(ids), 100):
                found |= index.fetch(ids=ids[start : start + 100], namespace=namespace).vectors
        return cast("Mapping[str, Seen]", found)


@dataclass(frozen=True, slots=True)
class PgvectorIndex(Index):
    """A table that the worker makes in some database of the real Postgres."""

    server: Postgres
    database: str

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "store": "pgvector",
            "store.index": "points",
            "store.create": "true",
            "store.url": f"postgresql://{HOST}:{self.server.port}/{self.database}",
            "store.user": self.server.user,
            "store.password": self.server.password,
        }

    def points(self, namespace: str) -> Mapping[str, Seen]:
        found = sql.SQL(
            "SELECT id, embedding::float4[], metadata::text, kafka_offset FROM vecsink.points"
            " WHERE namespace = {}"
        ).format(namespace)
        with self.server.connect(self.database) as connection:
            try:
                rows = connection.execute(found).fetchall()
            except psycopg.errors.UndefinedTable:
                return {}
        # Not by psycopg, to which 1e300 is a whole number with 301 digits.
        return {row[0]: Seen(row[1], {**orjson.loads(row[2]), "_off": row[3]}) for row in rows}


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
