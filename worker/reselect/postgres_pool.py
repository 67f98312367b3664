"""Connections to PostgreSQL that can only read, with an end to every wait."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from worker.errors import ConfigError, RetriableError
from worker.reselect.postgres_errors import refused_login
from worker.sockets import ended_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config.reselect import ReselectSettings

    Connection = psycopg.Connection[tuple[Any, ...]]

APPLICATION = "vecsink"
_GRACE_S = 1.0
"""After the time-out, for a server that ends its queries by itself."""

_SESSION = """
SELECT set_config('statement_timeout', $1, true),
       set_config('idle_in_transaction_session_timeout', $1, true),
       set_config('DateStyle', 'ISO, YMD', true), set_config('TimeZone', 'UTC', true),
       set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)
"""
"""For one transaction, as a pooler in between may give us another session each time. The server
ends it if it does not hear of the worker: a table that was read stays locked against ALTER TABLE
until then, and behind that one everybody else would wait."""


class PostgresPool:
    """Opens connections when they are needed. Thread-safe."""

    def __init__(self, settings: ReselectSettings) -> None:
        """Nothing is opened yet.

        Raises:
            ConfigError: the address has parameters that libpq does not know.
        """
        self._settings = settings
        self._address = _checked(settings.url or "")
        self._arguments = _arguments(settings)
        self._pool = ConnectionPool(
            self._address,
            kwargs=self._arguments,
            min_size=0,
            max_size=settings.max_connections,
            open=False,
            configure=_configure,
            timeout=settings.timeout_s,
            reconnect_timeout=settings.timeout_s,
            num_workers=1,
            name="vecsink-reselect",
        )
        self._lock = threading.Lock()
        self._is_open = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection within a read-only transaction; errors of queries pass as they are.

        Raises:
            RetriableError: the database does not answer, or all connections are busy.
            FatalError: it refuses the login.
        """
        self._open()
        connection = self._connection()
        try:
            with ended_after(connection.fileno(), self._settings.timeout_s + _GRACE_S), connection:
                connection.execute(_SESSION, [str(self._settings.timeout_ms)])
                yield connection
        finally:
            self._pool.putconn(connection)

    def close(self) -> None:
        """Close what is open; whoever still reads gets a RetriableError."""
        self._pool.close()

    def _open(self) -> None:
        """Try a login first: the pool would only say that no connection came in time."""
        with self._lock:
            if not self._is_open:
                self._try_login()
                self._pool.open()
                self._is_open = True

    def _try_login(self) -> None:
        try:
            psycopg.connect(self._address, **self._arguments).close()
        except psycopg.OperationalError as error:
            raise refused_login(error) from error

    def _connection(self) -> Connection:
        try:
            return self._pool.getconn()
        except PoolTimeout as error:
            self._try_login()
            raise RetriableError("all connections to the source database are busy") from error
        except PoolClosed as error:
            raise RetriableError("the connections to the source database are closed") from error


def _checked(url: str) -> str:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"reselect.url: {str(error).strip()}") from error
    return url


def _arguments(settings: ReselectSettings) -> dict[str, Any]:
    login = {"user": settings.user}
    if settings.password is not None:
        login["password"] = settings.password.get_secret_value()
    seconds = math.ceil(settings.timeout_s)
    return {
        **{name: value for name, value in login.items() if value is not None},
        "application_name": APPLICATION,
        "client_encoding": "utf-8",
        "connect_timeout": seconds,
        "keepalives_idle": seconds,
        "keepalives_interval": seconds,
        "keepalives_count": 2,
        "prepare_threshold": None,
    }


def _configure(connection: Connection) -> None:
    """Every value as the text that the type's output function makes.

    ``RawCursor``, as others take a ``%`` in the name of a column for a placeholder.
    """
    connection.read_only = True
    connection.cursor_factory = psycopg.RawCursor
    for known in connection.adapters.types:
        connection.adapters.register_loader(known.oid, TextLoader)
