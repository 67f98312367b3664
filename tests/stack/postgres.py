"""A real Postgres with logical replication, also where we are root (which Postgres refuses)."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.stack import artifacts
from tests.stack.home import home, servers
from tests.stack.java import run_quietly
from tests.stack.ports import HOST, answers
from tests.stack.process import Command, Process
from tests.stack.unavailable import StackUnavailable

SUPERUSER = "postgres"
ACCOUNTS = ("postgres", "nobody")
"""Whom root becomes for Postgres, the first that exists."""
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "shared_buffers": "64MB",
    "fsync": "off",
    "timezone": "UTC",
}

SLOT_S = 10.0
FIND_SLOT = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
END_READER = (
    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
    " WHERE slot_name = %s AND active"
)
DROP_SLOT = (
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
    " WHERE slot_name = %s AND NOT active"
)


class Postgres:
    """The server. ``stop`` and ``start`` keep data and address; ``base`` is reachable for it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._process = Process("postgres", folder)
        self._account = _account()
        self._base = _reachable_base(self._account)
        self._data = self._base / f"data-{_short_name(folder)}"
        self.port = port
        self.user = SUPERUSER
        self.password = "postgres"

    @property
    def process(self) -> Process:
        """For its pid and log."""
        return self._process

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database, for libpq."""
        return f"postgresql://{self.user}:{self.password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers; the first time with a new cluster."""
        binaries = artifacts.postgres(self._base)
        if not self._data.exists():
            self._initialise(binaries)
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        server: list[str | Path] = [binaries / "postgres", "-D", self._data, f"-p{self.port}"]
        self._process.start(Command([*server, *options], user=self._account), self._is_ready)

    def stop(self) -> None:
        """Shut down in order (Postgres calls it fast)."""
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """Go away at once (Postgres calls it immediate); the next start recovers."""
        self._process.stop(signal.SIGQUIT)

    def remove_data(self) -> None:
        """Delete the cluster's files."""
        shutil.rmtree(self._data, ignore_errors=True)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A new connection with autocommit."""
        return psycopg.connect(self.dsn(database), autocommit=True)

    def create_database(self, name: str) -> None:
        """Make an empty database."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Delete a database with everything in it, connections included."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with self.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name)))

    def drop_replication(self, database: str, slot: str, publication: str) -> None:
        """Delete what a Debezium connector left in a database."""
        statement = sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(publication))
        with self.connect(database) as connection:
            self._drop_slot(connection, slot)
            connection.execute(statement)

    def _drop_slot(self, connection: psycopg.Connection[tuple[Any, ...]], slot: str) -> None:
        """Drop it as soon as its reader has gone, which is asked to."""
        deadline = time.monotonic() + SLOT_S
        while time.monotonic() < deadline:
            connection.execute(END_READER, [slot])
            connection.execute(DROP_SLOT, [slot])
            if not connection.execute(FIND_SLOT, [slot]).fetchone():
                return
            time.sleep(0.1)
        raise TimeoutError(f"the replication slot {slot} is still in use")

    def _initialise(self, binaries: Path) -> None:
        password_file = self._base / f"password-{_short_name(self._data)}"
        password_file.write_text(self.password)
        self._data.mkdir(mode=0o700)
        if self._account:
            shutil.chown(self._data, self._account)
            shutil.chown(password_file, self._account)
        options = ["--auth=scram-sha-256", f"--username={self.user}", "--no-sync"]
        encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
        command = [binaries / "initdb", "-D", self._data, *options, *encoding]
        self._run([*map(str, command), f"--pwfile={password_file}"])
        password_file.unlink()

    def _run(self, args: list[str]) -> None:
        options: dict[str, object] = {"cwd": "/"}
        if self._account:
            options |= {"user": self._account, "extra_groups": []}
        run_quietly(args, **options)

    def _is_ready(self) -> bool:
        if not answers(self.port):
            return False
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ACCOUNTS:
        if name in known:
            return name
    raise StackUnavailable(f"Postgres does not run as root, and there is no user {ACCOUNTS}")


def _reachable_base(account: str | None) -> Path:
    """A folder for Postgres that its user can walk to: ours, or one below /var/tmp."""
    if account is None or all(_is_open(folder) for folder in [home(), *home().parents]):
        return servers()
    base = Path("/var/tmp") / f"vecsink-stack-{_short_name(home())}"
    base.mkdir(exist_ok=True, mode=0o755)
    return base


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def _short_name(path: Path) -> str:
    return sha256(str(path).encode()).hexdigest()[:12]
