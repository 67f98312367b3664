"""The table of a pgvector store as it was last looked at, and the statements for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import pgvector_table as tables
from worker.store.pgvector_sql import Statements

if TYPE_CHECKING:
    from worker.store.pgvector_config import PgvectorConfig
    from worker.store.pgvector_pool import Connection


class Known:
    """Looks at the first call, and whenever asked to."""

    def __init__(self, config: PgvectorConfig) -> None:
        self._config = config
        self._seen: tuple[tables.Shape, Statements] | None = None

    def __call__(self, connection: Connection) -> tuple[tables.Shape, Statements]:
        """What the table takes, and what is said to it.

        Raises:
            FatalError: there is no such table, or it is not one of vecsink's.
        """
        return self._seen or self.look(connection)

    def look(self, connection: Connection) -> tuple[tables.Shape, Statements]:
        """The same, as it is now."""
        config = self._config
        shape = tables.shape_of(connection, config)
        made = Statements.of(config.schema_name, config.index, shape.kind, config.metric)
        self._seen = shape, made
        return self._seen

    def doubt(self) -> None:
        """Look anew at the next call, as the table may be another one."""
        self._seen = None
