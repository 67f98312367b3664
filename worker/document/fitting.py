"""Metadata cut to what a store takes: the largest columns go first, and their names are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from worker.document.metadata import SOURCE_TABLE, UPDATED_AT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import MetadataValue

METADATA_BYTES = 39_000
"""Pinecone takes 40 KB per record; a thousand bytes are for vecsink's own keys."""

_KEPT = (SOURCE_TABLE, UPDATED_AT)


class Fitted(NamedTuple):
    """Metadata within the limit."""

    metadata: Mapping[str, MetadataValue]
    dropped: tuple[str, ...] = ()
    """Names that had to go, largest first."""


def fits(metadata: Mapping[str, MetadataValue], limit: int) -> bool:
    """Whether the metadata takes at most ``limit`` bytes as UTF-8 JSON."""
    return len(orjson.dumps(metadata)) <= limit


def fitted(metadata: Mapping[str, MetadataValue], limit: int, first: str | None = None) -> Fitted:
    """Drop the largest columns until the metadata takes at most ``limit`` bytes as UTF-8 JSON.

    What is called ``first`` goes before any other; table and commit time stay in any case.
    """
    excess = len(orjson.dumps(metadata)) - limit
    if excess <= 0:
        return Fitted(metadata)
    dropped: list[str] = []
    for name, size in _by_size(metadata, first):
        if excess <= 0:
            break
        dropped.append(name)
        excess -= size
    kept = {name: value for name, value in metadata.items() if name not in dropped}
    return Fitted(kept, tuple(dropped))


def _by_size(metadata: Mapping[str, MetadataValue], first: str | None) -> list[tuple[str, int]]:
    """Names with the bytes that each takes (``{"a":1}`` has a colon more and a brace less)."""
    sizes = {
        name: len(orjson.dumps({name: value})) - 1
        for name, value in metadata.items()
        if name not in _KEPT
    }
    return sorted(sizes.items(), key=lambda item: (item[0] != first, -item[1]))
