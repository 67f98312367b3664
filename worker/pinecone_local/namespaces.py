"""The namespaces of one index, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.vectors import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Namespaces:
    """Namespaces that exist; one begins with its first write or when it is created."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._held: dict[str, Namespace] = {}
        self._schemas: dict[str, Mapping[str, Any]] = {}

    def __iter__(self) -> Iterator[tuple[str, Namespace]]:
        return iter(sorted(self._held.items()))

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def get(self, name: str) -> Namespace | None:
        """The namespace, if it exists."""
        return self._held.get(name)

    def schema(self, name: str) -> Mapping[str, Any] | None:
        """The metadata schema it was created with."""
        return self._schemas.get(name)

    def names(self, prefix: str = "") -> Sequence[str]:
        """Names in bitwise order."""
        return [name for name, _ in self if name.startswith(prefix)]

    def ensure(self, name: str, schema: Mapping[str, Any] | None = None) -> Namespace:
        """The namespace, made if it does not exist."""
        if name not in self._held:
            self._held[name] = Namespace(self._dimension)
            if schema is not None:
                self._schemas[name] = schema
        return self._held[name]

    def clear(self, name: str) -> None:
        """Drop the records and keep the namespace."""
        if name in self._held:
            self._held[name] = Namespace(self._dimension)

    def drop(self, name: str) -> None:
        """Drop records and namespace."""
        self._held.pop(name, None)
        self._schemas.pop(name, None)
