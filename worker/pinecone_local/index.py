"""One index: its namespaces, the order of its writes, and when readers see them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import orjson

from worker.pinecone_local.commands import CreateNamespace, DropNamespace, Upsert
from worker.pinecone_local.metadata import DEFAULT_NAMESPACE
from worker.pinecone_local.namespaces import Namespaces
from worker.pinecone_local.persistence import Entry, Journal
from worker.pinecone_local.replay import command_of, entries_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.clock import Clock
    from worker.pinecone_local.commands import Command
    from worker.pinecone_local.shape import Shape

LSN_ENTRY = "lsn"


class Index:
    """The data of one index. Used from one thread."""

    def __init__(
        self,
        shape: Shape,
        *,
        clock: Clock,
        visibility_s: Callable[[], float],
        journal: Journal | None = None,
    ) -> None:
        self.shape = shape
        self._clock = clock
        self._visibility_s = visibility_s
        self._journal = journal
        self._namespaces = Namespaces(shape.dimension)
        self._existing: set[str] = set()
        self._pending: deque[tuple[float, Command]] = deque()
        self.committed_lsn = 0
        if journal is not None:
            self._restore(journal)

    @property
    def visible(self) -> Namespaces:
        """What readers see now."""
        self._settle()
        return self._namespaces

    @property
    def visible_lsn(self) -> int:
        """The log position up to which readers see writes."""
        self._settle()
        return self.committed_lsn - len(self._pending)

    def exists(self, namespace: str) -> bool:
        """Whether a namespace was made, visible or not.

        The unnamed one of the vectors interface always exists; documents have no unnamed one.
        """
        unnamed = namespace == DEFAULT_NAMESPACE and not self.shape.documents
        return unnamed or namespace in self._existing

    def write(self, command: Command, entry: Entry) -> None:
        """Make a write durable and put it in line; on return it is acknowledged."""
        if self._journal is not None:
            self._journal.append(entry)
        self._note(command)
        due = self._clock.now_s() + self._visibility_s()
        if self._pending:
            due = max(due, self._pending[-1][0])
        self._pending.append((due, command))
        self._settle()
        if self._journal is not None and self._journal.has_grown:
            self._compact(self._journal)

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def delete(self) -> None:
        """Remove everything, on disk too."""
        if self._journal is not None:
            self._journal.delete()

    def _settle(self) -> None:
        now = self._clock.now_s()
        while self._pending and self._pending[0][0] <= now:
            self._pending.popleft()[1].apply(self._namespaces)

    def _note(self, command: Command) -> None:
        self.committed_lsn += 1
        if isinstance(command, Upsert | CreateNamespace):
            self._existing.add(command.namespace)
        elif isinstance(command, DropNamespace):
            self._existing.discard(command.namespace)

    def _restore(self, journal: Journal) -> None:
        for entry in journal.replay():
            if entry.operation == LSN_ENTRY:
                self.committed_lsn = orjson.loads(entry.body)
                continue
            command = command_of(self.shape, entry)
            command.apply(self._namespaces)
            self._note(command)
        if journal.has_grown:
            self._compact(journal)

    def _compact(self, journal: Journal) -> None:
        while self._pending:
            self._pending.popleft()[1].apply(self._namespaces)
        entries = list(entries_of(self._namespaces))
        lsn = self.committed_lsn - len(entries)
        journal.rewrite([Entry(LSN_ENTRY, "", orjson.dumps(lsn)), *entries])
