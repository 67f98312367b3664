"""The indexes of this server: definitions, data and ports, kept together and on disk."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from worker.immutable import immutable
from worker.pinecone_local.definition import Definition
from worker.pinecone_local.index import Index
from worker.pinecone_local.persistence import Journal, write_atomically
from worker.pinecone_local.wire import Refusal, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from worker.clock import Clock


class Ports(Protocol):
    """Where the data of an index is served."""

    def open(self, name: str, index: Index, wanted: int | None) -> int:
        """Serve an index, on the wanted port if that is free; return the port.

        Raises:
            Refusal: No port is left.
        """
        ...

    def close(self, port: int) -> None:
        """Stop serving on a port."""
        ...


@immutable
class Entry:
    """One index."""

    definition: Definition
    index: Index
    port: int


class Catalog:
    """Indexes by name. Used from one thread."""

    def __init__(
        self,
        ports: Ports,
        *,
        clock: Clock,
        visibility_s: Callable[[], float],
        folder: Path | None = None,
    ) -> None:
        self._ports = ports
        self._clock = clock
        self._visibility_s = visibility_s
        self._folder = folder
        self._entries: dict[str, Entry] = {}

    def restore(self) -> None:
        """Open what the folder holds."""
        path = self._path("catalog.json")
        if path is None or not path.exists():
            return
        for stored in orjson.loads(path.read_bytes()):
            port = stored.pop("port")
            self._open(Definition(**stored), port)

    def entries(self) -> Sequence[Entry]:
        """All indexes by name."""
        return [self._entries[name] for name in sorted(self._entries)]

    def get(self, name: str) -> Entry:
        """One index.

        Raises:
            Refusal: There is none of that name (404).
        """
        entry = self._entries.get(name)
        if entry is None:
            raise Refusal(Status.NOT_FOUND, f"Index {name} not found.")
        return entry

    def create(self, definition: Definition) -> Entry:
        """Make an index and begin to serve it."""
        if definition.name in self._entries:
            raise Refusal(Status.ALREADY_EXISTS, "Resource already exists.")
        left_over = self._path(f"{definition.name}.journal")
        if left_over is not None:
            left_over.unlink(missing_ok=True)
        entry = self._open(definition, None)
        self._save()
        return entry

    def configure(self, definition: Definition) -> Entry:
        """Replace the definition of an index."""
        entry = replace(self.get(definition.name), definition=definition)
        self._entries[definition.name] = entry
        self._save()
        return entry

    def delete(self, name: str) -> None:
        """Drop an index with its data."""
        entry = self.get(name)
        if entry.definition.deletion_protection == "enabled":
            raise Refusal(
                Status.FORBIDDEN,
                "Deletion protection is enabled for this index. "
                "Disable deletion protection before retrying.",
            )
        del self._entries[name]
        self._save()
        self._ports.close(entry.port)
        entry.index.delete()

    def close(self) -> None:
        """Close all journals."""
        for entry in self._entries.values():
            entry.index.close()

    def _open(self, definition: Definition, port: int | None) -> Entry:
        path = self._path(f"{definition.name}.journal")
        index = Index(
            definition.shape,
            clock=self._clock,
            visibility_s=self._visibility_s,
            journal=None if path is None else Journal(path),
        )
        try:
            bound = self._ports.open(definition.name, index, port)
        except Refusal:
            index.delete() if port is None else index.close()
            raise
        entry = Entry(definition, index, bound)
        self._entries[definition.name] = entry
        return entry

    def _save(self) -> None:
        path = self._path("catalog.json")
        if path is not None:
            stored = [_stored(entry) for entry in self.entries()]
            write_atomically(path, orjson.dumps(stored))

    def _path(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / name


def _stored(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry.definition), "port": entry.port}
