"""What the pipeline needs of a vector store.

Stores differ: some can refuse an old write by themselves (pgvector, Qdrant), others cannot
(Pinecone, Weaviate); some show a write at once, others later. Those differences are data
(``Capabilities``), so that the pipeline needs no ``if`` per store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from worker.errors import FatalError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.errors import RecordError
    from worker.model import MetadataValue, Point, Position, Vector

ENOUGH: Final = 8
"""So many points refused one by one, for one reason and with none written, are all of them; fewer
may be bad rows that came together."""


@immutable
class Capabilities:
    """What a store can do, as data."""

    guarded: bool
    """Upsert and delete refuse, in the store itself, to replace a point of a higher comparable
    Position."""
    settle_s: float
    """Longest time until a write is visible to every reader; 0 for stores that answer at once."""
    write_timeout_s: float = 0.0
    """Longest time that a write may be on its way."""

    @property
    def second_look_s(self) -> float | None:
        """How long after its partition went to another worker a write may still come to light.

        None: it cannot do harm, as the store refuses what is older.
        """
        return None if self.guarded else self.settle_s + self.write_timeout_s


@immutable
class Deletion:
    """A point that has to go, and the Position of the change that says so."""

    id: str
    position: Position


@immutable
class Match:
    """A search hit; a higher score is a better match."""

    id: str
    score: float
    metadata: Mapping[str, MetadataValue]


class MissingIndexError(FatalError):
    """There is no index of this name, and so nothing in it.

    ``coming`` says what the first run makes, and is empty where nobody makes it.
    """

    def __init__(self, index: str, said: str, *, coming: str, advice: str) -> None:
        super().__init__(f"{said}. {advice}")
        self.index = index
        self.said = said
        self.coming = coming


@immutable
class Replacement:
    """All that changes of a row of several points."""

    id: str
    """Of the point that stands for the row."""
    points: Sequence[Point]
    """That one and the others; none if the row goes."""
    deletions: Sequence[Deletion]
    """What the row has no more; all of it if the row goes."""

    @property
    def first(self) -> Point | Deletion:
        """What stands for the row, or its end."""
        if self.points:
            return self.points[0]
        return next(one for one in self.deletions if one.id == self.id)


class Transactions(Protocol):
    """How a store writes a row of several points, if it can do that at once.

    Safe to call from several threads at once; errors as in ``Store``.
    """

    def replace(self, namespace: str, rows: Sequence[Replacement]) -> Mapping[str, RecordError]:
        """Write each row as a whole: no reader sees a part of it, and a crash leaves none.

        A row whose first point the store refuses as older than what is there stays as it is. What
        is wrong with one point refuses its row, by the row's id.
        """
        ...


class WriteLog(Protocol):
    """How much of what was written to a namespace a store shows that shows writes late.

    Only what it costs to be wrong decides what may rely on it: a store may have several places to
    read from. Safe to call from several threads at once; errors as in ``Store``.
    """

    def mark(self, namespace: str) -> int | None:
        """Write what changes nothing; its number, above those of all that was written before.

        None: the store does not say.
        """
        ...

    def shown_to(self, namespace: str) -> int | None:
        """Everything up to this number is shown. None: the store does not say."""
        ...


class Store(Protocol):
    """A vector store. Safe to call from several threads at once.

    Every method may raise ``RetriableError`` (away, overloaded) and ``FatalError`` (it would refuse
    everything: key, missing index, wrong dimension). What is wrong with one point is a value: the
    returned mapping (by id) says which points were refused and why; all others were written.
    Requests are cut to the store's own limits by count and bytes inside.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    @property
    def write_log(self) -> WriteLog | None:
        """None: time alone tells what it shows, as ``capabilities`` say."""
        ...

    @property
    def transactions(self) -> Transactions | None:
        """None: each call of ``upsert`` and ``delete`` is seen by itself, or each point."""
        ...

    def create(self, dimensions: int) -> bool:
        """Make the index for vectors of this size if it is missing and ``store.create`` is set.

        The answer is whether this call has made it, and so it is empty.
        """
        ...

    def check(self, dimensions: int) -> None:
        """Ask the live store: reachable, key works, index exists, takes vectors of this size.

        Raises:
            MissingIndexError: there is no index.
        """
        ...

    def fetch(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Point]:
        """The points that exist, by id; absent ids and namespaces are simply not in the answer."""
        ...

    def upsert(self, namespace: str, points: Sequence[Point]) -> Mapping[str, RecordError]:
        """Write whole points, replacing what is there; ids are distinct, all have a stamp."""
        ...

    def delete(self, namespace: str, deletions: Sequence[Deletion]) -> Mapping[str, RecordError]:
        """Delete by id; absent ids and namespaces are no error."""
        ...

    def deleted(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Position]:
        """Which of these ids are not there, and until which Position a deletion keeps them away.

        Of a guarded store alone: the others remember no deletions, and name none.
        """
        ...

    def query(
        self,
        namespace: str,
        vector: Vector,
        k: int,
        where: Mapping[str, object] | None = None,
    ) -> Sequence[Match]:
        """The k nearest points that match the store's own filter language, best first.

        Raises:
            ConfigError: the store does not take the filter.
        """
        ...

    def scan(self, namespace: str) -> Iterator[Point]:
        """All points of a namespace, in no particular order, page by page (lazily)."""
        ...

    def namespaces(self) -> Sequence[str]:
        """Names of the namespaces that exist."""
        ...

    def close(self) -> None:
        """Drop connections."""
        ...
