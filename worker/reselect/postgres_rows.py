"""Reads rows of one table by their keys."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from worker.errors import RecordError
from worker.reselect.port import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.model import Key, Value
    from worker.reselect.port import Answer
    from worker.reselect.postgres_pool import Connection
    from worker.reselect.postgres_table import Table

_Texts = tuple[str, ...]


class Rows:
    """The wanted columns of one table's rows."""

    def __init__(self, table: Table, keys: Sequence[str], columns: Sequence[str]) -> None:
        """Nothing is read yet.

        Raises:
            RecordError: a column is not there any more, its type cannot be read exactly, or rows
                cannot be found by a key's.
        """
        self._table, self._keys = table, keys
        self._query = table.query(keys, columns)
        self._readers = [(name, table.reader(name)) for name in columns]

    def read(self, connection: Connection, keys: Sequence[Key]) -> list[Answer]:
        """An answer for each key; errors of the query pass as they are."""
        answers: list[Answer] = [None] * len(keys)
        texts: dict[int, _Texts] = {}
        for index, key in enumerate(keys):
            try:
                texts[index] = self._table.key_texts(key, self._keys)
            except RecordError as error:
                answers[index] = error
        for index, found in self._select(connection, texts):
            answers[index] = self._answer(found)
        return answers

    def _select(
        self, connection: Connection, texts: dict[int, _Texts]
    ) -> Iterator[tuple[int, list[Sequence[Any]]]]:
        """What the table has under each key that it has."""
        if not texts:
            return
        indexes = list(texts)
        by_column = [list(column) for column in zip(*texts.values(), strict=True)]
        rows: defaultdict[int, list[Sequence[Any]]] = defaultdict(list)
        for number, *values in connection.execute(self._query, by_column):
            rows[indexes[int(number) - 1]].append(values)
        yield from rows.items()

    def _answer(self, found: Sequence[Sequence[Any]]) -> Answer:
        if len(found) > 1:
            return unreadable(f"several rows of {self._table} have this key")
        row: dict[str, Value] = {}
        for (name, read), value in zip(self._readers, found[0], strict=True):
            try:
                row[name] = None if value is None else read(value)
            except (ValueError, TypeError, ArithmeticError):
                return unreadable(
                    f"column {name} of {self._table} holds a value that cannot be read exactly as "
                    "Debezium sends it"
                )
        return row
