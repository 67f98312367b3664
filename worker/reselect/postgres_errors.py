"""What PostgreSQL's errors mean for us."""

from __future__ import annotations

import psycopg

from worker.errors import FatalError, RetriableError, WorkerError

_CANCELLED = "57014"
_AWAY = ("08", "40", "53", "55", "57", "58", "25P03")
"""SQLSTATEs, or their classes, of what passes: connections, conflicts on a standby, resources,
locks, an operator's intervention, the disk."""
_DATA = ("22", "XX001", "XX002")
"""Of what is wrong with one row: its values, or its pages on the disk."""
_REFUSED = (
    "authentication failed", "pg_hba.conf", "does not exist", "not permitted to log in",
    "permission denied", "no password supplied", "certificate", "not support SSL",
)  # fmt: skip
"""libpq gives no SQLSTATE for a refused login, only the server's text."""


def is_about_data(error: psycopg.Error) -> bool:
    """Whether one of the rows is at fault."""
    return (error.sqlstate or "").startswith(_DATA) or isinstance(error, psycopg.DataError)


def refused_login(error: psycopg.OperationalError) -> WorkerError:
    """Why there is no connection; the text names host, user and database, never the password."""
    text = str(error)
    needs_password = error.pgconn is not None and error.pgconn.needs_password
    if needs_password or any(part in text for part in _REFUSED):
        return FatalError(f"the source database refuses reselect.user: {text}")
    return RetriableError(f"the source database does not answer: {text}")


def failed_query(error: psycopg.Error, table: str) -> WorkerError:
    """Why a query failed. Without the server's text, which may quote a row."""
    state = error.sqlstate
    if state == _CANCELLED:
        return RetriableError(f"reading {table} in the source database took too long")
    if isinstance(error, psycopg.OperationalError) and state is None:
        return RetriableError(f"the source database does not answer while {table} is read")
    if (state or "").startswith(_AWAY):
        return RetriableError(f"reading {table} in the source database failed ({_name(error)})")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return FatalError(
            f"reselect.user may not read {table} in the source database: GRANT USAGE on its schema "
            "and SELECT on the table"
        )
    return FatalError(f"the source database refuses to read {table} ({_name(error)})")


def _name(error: psycopg.Error) -> str:
    return f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
