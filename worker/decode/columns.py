"""Columns that somebody asked for and a topic's rows do not have.

A name that no version of the topic's schema ever had is a mistake, and every row would lack it. One
that some version has was dropped later or came later: it reads as null.
"""

from __future__ import annotations

import logging
from difflib import get_close_matches
from typing import TYPE_CHECKING

from worker.decode.avro_schema import column_type, self_contained
from worker.decode.shape import row_type
from worker.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from worker.decode.registry import RegisteredSchema, SchemaRegistry

_LOG = logging.getLogger(__name__)


class WantedColumns:
    """The columns that documents are made of; None for all."""

    def __init__(self, names: frozenset[str] | None) -> None:
        self._names = names or frozenset()
        self._warned: set[tuple[str, object, str]] = set()

    def missing(self, there: AbstractSet[str]) -> frozenset[str]:
        """Those that are not among ``there``."""
        return self._names - there

    def check(
        self, topic: str, schema_id: int, there: AbstractSet[str], registry: SchemaRegistry
    ) -> None:
        """Look up the columns that this value schema lacks in the versions of its subject.

        Blocks on the network.

        Raises:
            FatalError: no version ever had the column.
            RetriableError: the registry is away.
        """
        missing = self.missing(there)
        if not missing:
            return
        subject = f"{topic}-value"
        unknown = _never_there(missing, subject, registry.versions(subject), registry)
        if unknown:
            raise FatalError(_mistake(topic, min(unknown), there))
        self.warn(topic, missing, schema_id)

    def warn(self, topic: str, missing: Iterable[str], schema: object = None) -> None:
        """Say it once for each topic, schema and column."""
        for column in sorted(missing):
            if (topic, schema, column) not in self._warned:
                self._warned.add((topic, schema, column))
                which = "" if schema is None else f" of schema {schema}"
                _LOG.warning("Rows of %s%s have no column %s: it is null.", topic, which, column)


def expect(names: frozenset[str], topic: str, registry: SchemaRegistry) -> frozenset[str] | None:
    """Columns that rows by the newest version of a topic's schema lack: they read as null.

    None if nobody can say yet, as there is no schema, or it is of no row. Blocks on the network.

    Raises:
        FatalError: no version ever had one of them.
        RetriableError: the registry is away.
    """
    subject = f"{topic}-value"
    numbers = registry.versions(subject)
    newest = registry.version(subject, max(numbers)) if numbers else None
    there = _columns_of(newest) if newest else frozenset()
    if not there:
        return None
    missing = names - there
    unknown = _never_there(missing, subject, numbers, registry)
    if unknown:
        raise FatalError(_mistake(topic, min(unknown), there))
    return missing


def _never_there(
    missing: frozenset[str], subject: str, numbers: Sequence[int] | None, registry: SchemaRegistry
) -> frozenset[str]:
    """Columns that none of these versions has; none where the registry cannot say."""
    if not numbers:
        return frozenset()
    for number in sorted(numbers, reverse=True):
        if not missing:
            break
        version = registry.version(subject, number)
        if version is not None:
            missing = missing - _columns_of(version)
    return missing


def _columns_of(version: RegisteredSchema) -> frozenset[str]:
    try:
        row = row_type(column_type(self_contained(version.text, version.references)))
    except (ValueError, TypeError, LookupError):
        return frozenset()
    return row.field_names if row else frozenset()


def _mistake(topic: str, column: str, there: AbstractSet[str]) -> str:
    near = get_close_matches(column, there, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    names = ", ".join(sorted(there))
    return f"rows of {topic} have no column {column}{hint} (they have {names})"
