"""The source database, for columns that Debezium could not send."""

from __future__ import annotations

from pydantic import Field, SecretStr

from worker.config.postgres import PostgresAddress
from worker.config.section import Section
from worker.config.values import Count

_POSTGRES = "postgresql"


class ReselectSettings(Section):
    """Where to read missing columns; without an address nothing is read."""

    url: PostgresAddress | None = Field(
        None,
        alias="reselect.url",
        description="Database that Debezium captures, such as "
        "`postgresql://host:5432/database?sslmode=verify-full`; columns that Debezium could not "
        "send (TOAST) are read from it. Needs the extra `postgresql`.",
    )
    user: str | None = Field(
        None,
        alias="reselect.user",
        description="Database user; it needs SELECT on the tables and nothing else.",
    )
    password: SecretStr | None = Field(None, alias="reselect.password", description="Its password.")
    timeout_ms: Count = Field(
        5000,
        alias="reselect.timeout.ms",
        description="Milliseconds for a connection, and for a query; then it is tried again.",
    )
    max_connections: Count = Field(
        2,
        alias="reselect.max.connections",
        description="Connections to the database that one worker has open at most for this "
        "connector.",
    )

    @property
    def database(self) -> str:
        """The kind of database, a name among the plug-ins that read missing columns."""
        return _POSTGRES

    @property
    def timeout_s(self) -> float:
        """Seconds for a connection, and for a query."""
        return self.timeout_ms / 1000
