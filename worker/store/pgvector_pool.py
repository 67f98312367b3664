"""Connections to the store's database, with an end to every wait."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from worker.errors import ConfigError, RetriableError
from worker.sockets import ended_after
from worker.store.pgvector_errors import is_about_data, refused_login, translated
from worker.store.pgvector_values import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.store.pgvector_config import PgvectorConfig

    Connection = psycopg.Connection[tuple[Any, ...]]

APPLICATION = "vecsink"
_GRACE_S = 1.0
"""After the time-out, for a server that ends its queries by itself."""
_WHOLE_MS = 2_000
"""After the time-out, for a transaction whose connection its worker has shut after the grace."""
_CANCEL_S = 2.0
"""For the server to take a cancellation, which says nothing yet of its effect."""

_SESSION = """
SELECT set_config('statement_timeout', $1, false),
       set_config('idle_in_transaction_session_timeout', $2, false),
       (SELECT set_config(name, $3, false) FROM pg_catalog.pg_settings
        WHERE name = 'transaction_timeout'),
       set_config('tcp_keepalives_idle', '30', false),
       set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('search_path', coalesce(
           (SELECT quote_ident(nspname) FROM pg_catalog.pg_namespace
            WHERE oid = (SELECT extnamespace FROM pg_catalog.pg_extension
                         WHERE extname = 'vector')), 'public'), false)
"""
"""The guard needs read committed: each statement has to see what was committed before it. Types and
operators are found where the extension is; tables are always named with their schema. And the
server lets go of what a worker held that it does not hear of any more: from PostgreSQL 17 on also
in the middle of a pipeline, where a transaction does not count as idle."""


class PgvectorPool:
    """Opens connections when they are needed. Thread-safe."""

    def __init__(self, config: PgvectorConfig) -> None:
        """Nothing is opened yet.

        Raises:
            ConfigError: the address has parameters that libpq does not know.
        """
        self._config = config
        self._arguments = _arguments(config)
        self._lock = threading.Lock()
        self._pool: ConnectionPool | None = None
        self._patient: set[Connection] = set()
        _expect_address(config.url)

    @contextmanager
    def connection(self, doing: str) -> Iterator[Connection]:
        """A connection where each statement is its own transaction; ``doing`` is for errors.

        Errors about the data of a request pass as they are.

        Raises:
            RetriableError: the database does not answer, or no connection comes free in time.
            FatalError: it refuses the login, or what was asked of it.
        """
        pool = self._opened()
        connection = self._taken(pool)
        try:
            with ended_after(connection.fileno(), self._config.timeout_s + _GRACE_S):
                yield connection
        except psycopg.Error as error:
            if is_about_data(error):
                raise
            raise translated(error, doing) from error
        finally:
            is_broken = connection.broken
            pool.putconn(connection)
            if is_broken:
                pool.drain()  # the others go with the same server; asking them might never end

    @contextmanager
    def patient(self, doing: str) -> Iterator[Connection]:
        """A connection of its own, without time-outs, for what takes as long as it takes.

        Raises:
            RetriableError, FatalError: as ``connection``.
        """
        connection = self._login()
        self._patient.add(connection)
        try:
            with connection:
                _configure(connection, self._config, 0)
                yield connection
        except psycopg.Error as error:
            raise translated(error, doing) from error
        finally:
            self._patient.discard(connection)

    def close(self) -> None:
        """Close what is open, cancel what takes long; a later call opens it again."""
        for connection in tuple(self._patient):
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=_CANCEL_S)
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _opened(self) -> ConnectionPool:
        """Try a login first: the pool would only say that no connection came in time."""
        with self._lock:
            if self._pool is None:
                self._login().close()
                self._pool = self._made()
            return self._pool

    def _made(self) -> ConnectionPool:
        config = self._config
        return ConnectionPool(
            config.url,
            kwargs=self._arguments,
            min_size=0,
            max_size=config.max_connections,
            open=True,
            configure=lambda connection: _configure(connection, config, config.timeout_ms),
            timeout=config.timeout_s,
            reconnect_timeout=config.timeout_s,
            num_workers=1,
            name="vecsink-pgvector",
        )

    def _login(self) -> Connection:
        try:
            return psycopg.connect(self._config.url, **self._arguments)
        except psycopg.OperationalError as error:
            raise refused_login(error) from error

    def _taken(self, pool: ConnectionPool) -> Connection:
        try:
            return pool.getconn()
        except PoolTimeout as error:
            self._login().close()
            raise RetriableError(
                "no connection to the store's database came free within store.timeout.ms"
            ) from error
        except PoolClosed as error:
            raise RetriableError("the connections to the store's database are closed") from error


def _expect_address(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"store.url: {str(error).strip()}") from error


def _arguments(config: PgvectorConfig) -> dict[str, Any]:
    login = {"user": config.user}
    if config.password is not None:
        login["password"] = config.password.get_secret_value()
    seconds = math.ceil(config.timeout_s)
    return {
        **{name: value for name, value in login.items() if value is not None},
        "application_name": APPLICATION,
        "client_encoding": "utf-8",
        "connect_timeout": seconds,
        "keepalives_idle": seconds,
        "keepalives_interval": seconds,
        "keepalives_count": 2,
        "tcp_user_timeout": config.timeout_ms,
        "autocommit": True,
        "cursor_factory": psycopg.RawCursor,
    }


def _configure(connection: Connection, config: PgvectorConfig, statement_ms: int) -> None:
    """Without end where a statement has none."""
    register(connection)
    whole_ms = statement_ms + _WHOLE_MS if statement_ms else 0
    connection.execute(_SESSION, [str(statement_ms), str(config.timeout_ms), str(whole_ms)])
