"""Settings of the pgvector store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from worker.config.postgres import PostgresAddress
from worker.config.values import Count
from worker.store.creation import Creation
from worker.store.pairs import Pairs
from worker.store.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

ColumnType: TypeAlias = Literal["text", "numeric", "boolean"]

OURS: Final = frozenset(
    {
        "namespace",
        "id",
        "embedding",
        "metadata",
        "fingerprint",
        "model",
        "kafka_topic_id",
        "kafka_partition",
        "kafka_offset",
        "source_position",
        "text_columns",
        "document",
        "chunks",
    }
)
"""Columns that the table always has."""

_LONGEST_TABLE = 50
"""Bytes, so that the names of its indexes fit into PostgreSQL's 63."""
_LONGEST_NAME = 63


def _is_free(name: str) -> bool:
    return 0 < len(name.encode()) <= _LONGEST_NAME and name not in OURS


_PAIRS: Final = Pairs(
    get_args(ColumnType),
    _is_free,
    "category text, price numeric",
    f"names none of {', '.join(sorted(OURS))}",
)


class PgvectorConfig(Creation):
    """Which table of which database, and how it is made."""

    url: PostgresAddress = Field(
        alias="store.url",
        description="Database, such as `postgresql://host:5432/database?sslmode=verify-full`.",
    )
    user: str | None = Field(
        default=None,
        alias="store.user",
        description="Database user; by default libpq's (`PGUSER`, or the system's user).",
    )
    password: SecretStr | None = Field(
        default=None, alias="store.password", description="Its password."
    )
    index: str = Field(
        alias="store.index",
        min_length=1,
        description="Name of the table; beside it `<table>_deleted` keeps what was deleted when.",
    )
    schema_name: str = Field(
        default="vecsink",
        alias="store.schema",
        min_length=1,
        description="Schema of the table.",
    )
    vector_type: Literal["vector", "halfvec"] | None = Field(
        default=None,
        alias="store.vector.type",
        description="Type of the vectors in a table that is made: `vector` has 4 bytes per number "
        "and HNSW indexes up to 2,000 dimensions, `halfvec` 2 bytes and up to 4,000. By default "
        "`vector` as far as it can be indexed, then `halfvec`.",
    )
    hnsw: bool = Field(
        default=True,
        alias="store.hnsw",
        description="With `store.create`: whether a missing HNSW index is built, in the "
        "background, once the table has 10,000 rows and no more than 50 a second are written.",
    )
    columns: Annotated[tuple[tuple[str, ColumnType], ...], BeforeValidator(_PAIRS)] = Field(
        default=(),
        alias="store.columns",
        description="With `store.create`: metadata that is filtered by, as indexed columns of the "
        "table, such as `category text, price numeric, live boolean`. Values of another type "
        "are NULL there.",
        json_schema_extra={"kind": "list"},
    )
    tombstone_ttl_ms: Count = Field(
        default=7 * 24 * 3600 * 1000,
        alias="store.tombstone.ttl.ms",
        description="Milliseconds that a deletion is remembered, against older writes that come "
        "after it.",
    )
    timeout_ms: Count = Field(
        default=30_000,
        alias="store.timeout.ms",
        description="Milliseconds for a connection, and for a request; then it is tried again.",
    )
    max_connections: Count = Field(
        default=8,
        alias="store.max.connections",
        description="Connections to the database that one worker has open at most for this "
        "connector.",
    )

    @field_validator("index")
    @classmethod
    def _check_index(cls, given: str) -> str:
        if len(given.encode()) > _LONGEST_TABLE or "\0" in given:
            raise ValueError(f"the name of a table, of {_LONGEST_TABLE} bytes at most")
        return given

    @property
    def place(self) -> Place:
        """Database and schema are in the same attribute, by the convention for PostgreSQL."""
        database = unquote(urlsplit(self.url).path.strip("/"))
        return Place(self.index, f"{database}|{self.schema_name}", self.url)

    @property
    def typed(self) -> Mapping[str, str]:
        """Metadata keys that are columns, and their types."""
        return dict(self.columns)

    @property
    def timeout_s(self) -> float:
        """Seconds for a connection, and for a request."""
        return self.timeout_ms / 1000
