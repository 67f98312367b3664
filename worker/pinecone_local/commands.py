"""Writes, as values: what was checked when the request came, and is applied when it is visible."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.pinecone_local.filters import Predicate
    from worker.pinecone_local.namespaces import Namespaces
    from worker.pinecone_local.records import Batch, Patch


class Command(Protocol):
    """A write to one namespace."""

    @property
    def namespace(self) -> str:
        """The stored name of the namespace."""
        ...

    def apply(self, namespaces: Namespaces) -> None:
        """Do it. Cannot fail: whatever may be wrong was refused before."""
        ...


@immutable(eq=False)
class Upsert:
    """Write whole records; creates the namespace."""

    namespace: str
    batch: Batch

    def apply(self, namespaces: Namespaces) -> None:
        """Put the batch."""
        namespaces.ensure(self.namespace).put(self.batch)


@immutable(eq=False)
class PatchById:
    """Change parts of records; absent ones stay absent."""

    namespace: str
    patches: Sequence[tuple[str, Patch]]

    def apply(self, namespaces: Namespaces) -> None:
        """Patch each."""
        held = namespaces.get(self.namespace)
        if held is None:
            return
        for record_id, patch in self.patches:
            held.patch(record_id, patch)


@immutable(eq=False)
class PatchMatching:
    """Change parts of all records whose metadata passes."""

    namespace: str
    keep: Predicate
    patch: Patch

    def apply(self, namespaces: Namespaces) -> None:
        """Patch each that passes now."""
        held = namespaces.get(self.namespace)
        if held is None:
            return
        for record_id in held.matching(self.keep):
            held.patch(record_id, self.patch)


@immutable(eq=False)
class DeleteIds:
    """Delete by id; absent ids are ignored."""

    namespace: str
    ids: Sequence[str]

    def apply(self, namespaces: Namespaces) -> None:
        """Delete each."""
        held = namespaces.get(self.namespace)
        if held is not None:
            held.remove(self.ids)


@immutable(eq=False)
class DeleteMatching:
    """Delete all records whose metadata passes."""

    namespace: str
    keep: Predicate

    def apply(self, namespaces: Namespaces) -> None:
        """Delete each that passes now."""
        held = namespaces.get(self.namespace)
        if held is not None:
            held.remove(list(held.matching(self.keep)))


@immutable
class DeleteAll:
    """Empty a namespace, which stays."""

    namespace: str

    def apply(self, namespaces: Namespaces) -> None:
        """Replace it by an empty one."""
        namespaces.clear(self.namespace)


@immutable
class CreateNamespace:
    """Make an empty namespace."""

    namespace: str
    schema: Mapping[str, Any] | None = field(default=None, hash=False)

    def apply(self, namespaces: Namespaces) -> None:
        """Make it."""
        namespaces.ensure(self.namespace, self.schema)


@immutable
class DropNamespace:
    """Delete a namespace with everything in it."""

    namespace: str

    def apply(self, namespaces: Namespaces) -> None:
        """Forget it."""
        namespaces.drop(self.namespace)
