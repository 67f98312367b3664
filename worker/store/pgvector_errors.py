"""What PostgreSQL's errors mean for us; without its own words, which may quote a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from worker.errors import FatalError, RecordError, RetriableError, Stage, WorkerError
from worker.store.creation import MADE_ANEW
from worker.store.port import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Mapping

_AWAY = ("08", "40", "53", "55", "57", "58", "25006", "25P03", "25P04")
"""SQLSTATEs, or their classes, of what passes: connections, conflicts, resources, locks, an
operator's intervention, the disk, a server that is a standby just now."""
_DATA = ("22", "23", "54000", "54001", "P0001")
"""Of what may be wrong with one point: its values, a constraint that somebody added, its size,
what a trigger of the user's raises."""
_CONSTRAINTS = ("23", "P0001")
_TOO_LARGE = "54"
_CANCELLED = "57014"
_STALE_PLAN = "RevalidateCachedQuery"
"""Where the server finds that a prepared statement would answer with other types than before."""
_REFUSED = (
    "authentication failed", "pg_hba.conf", "does not exist", "not permitted to log in",
    "permission denied", "no password supplied", "not support SSL",
    "certificate verify failed", "root certificate", "requires a valid client certificate",
    "certificate file", "does not match host name",
)  # fmt: skip
"""libpq gives no SQLSTATE for a refused login, only the server's text. That names the host as well,
so a word that may be in its name is not enough."""


def is_about_data(error: psycopg.Error) -> bool:
    """Whether one of the points may be at fault."""
    return (error.sqlstate or "").startswith(_DATA) or (
        error.sqlstate is None and isinstance(error, psycopg.DataError)
    )


def record_errors(
    at_fault: Mapping[str, psycopg.Error], sent: int, doing: str
) -> dict[str, RecordError]:
    """The errors of points that were refused when they stood alone, out of so many.

    Raises:
        FatalError: one constraint or trigger refuses all, so the points are not at fault.
    """
    states = {error.sqlstate or "" for error in at_fault.values()}
    if (
        len(at_fault) == sent >= ENOUGH
        and len(states) == 1
        and min(states).startswith(_CONSTRAINTS)
    ):
        name = _name(next(iter(at_fault.values())))
        raise FatalError(
            f"pgvector, {doing}: PostgreSQL refuses every point, tried one by one: {name}; look at "
            "the constraints and triggers of the table and of those that refer to it"
        ).coded(min(states))
    return {point_id: _record_error(error) for point_id, error in at_fault.items()}


def refused_login(error: psycopg.OperationalError) -> WorkerError:
    """Why there is no connection; the text names host, user and database, never the password."""
    text = str(error).strip()
    needs_password = error.pgconn is not None and error.pgconn.needs_password
    if needs_password or any(part in text for part in _REFUSED):
        return FatalError(
            f"the store's database refuses the login: {text}; check store.url, store.user and "
            "store.password"
        )
    return RetriableError(f"the store's database does not answer: {text}")


def translated(error: psycopg.Error, doing: str) -> WorkerError:
    """The worker's error for what is not about a point; ``doing`` says what was tried."""
    state = error.sqlstate or ""
    said = f"pgvector, {doing}: {_name(error)}"
    if state == _CANCELLED:
        return RetriableError(f"{said}; it took longer than store.timeout.ms").coded(state)
    if state.startswith(_AWAY):
        return RetriableError(said).coded(state)
    if not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RetriableError(f"pgvector, {doing}: the connection is gone")
    return FatalError(f"{said}; {_advice(error)}").coded(state)


def _record_error(error: psycopg.Error) -> RecordError:
    kind = "PointTooLarge" if (error.sqlstate or "").startswith(_TOO_LARGE) else "PointRefused"
    return RecordError(
        f"PostgreSQL refuses the point ({_name(error)})", stage=Stage.STORE, kind=kind
    )


def _advice(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "store.user may not do this: GRANT what docs/stores.md names"
    if isinstance(error, psycopg.errors.UndefinedTable):
        return f"the table of store.index is gone: {MADE_ANEW}"
    if isinstance(error, psycopg.errors.UndefinedColumn):
        return "the table has other columns than vecsink's: start once with store.create=true"
    if error.diag.source_function == _STALE_PLAN:
        return "the table of store.index was altered meanwhile: restart the task"
    return "check the store.* settings"


def _name(error: psycopg.Error) -> str:
    return f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
