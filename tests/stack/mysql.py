"""A real MySQL with row binlog, or MariaDB where MySQL cannot be had; ``flavour`` says which."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pymysql

from tests.stack import debian, versions
from tests.stack.artifacts import filling
from tests.stack.home import servers
from tests.stack.java import run_quietly
from tests.stack.ports import HOST, answers
from tests.stack.process import Command, Process
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from pymysql.connections import Connection

USER = "vecsink"
PASSWORD = "vecsink"
DEBEZIUM_USER = "debezium"
DEBEZIUM_PASSWORD = "dbz"
ACCOUNTS = f"""
CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS '{DEBEZIUM_USER}'@'%' IDENTIFIED BY '{DEBEZIUM_PASSWORD}';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES
 ON *.* TO '{DEBEZIUM_USER}'@'%';
"""
OPTIONS = (
    f"--bind-address={HOST}",
    "--skip-name-resolve",
    "--secure-file-priv=",
    "--server-id=223344",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--binlog-row-image=FULL",
    "--default-time-zone=+00:00",
    "--character-set-server=utf8mb4",
    "--innodb-flush-log-at-trx-commit=0",
    "--sync-binlog=0",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=64M",
    "--max-connections=50",
)
MYSQL_OPTIONS = ("--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
MARIADB_SYSTEM = ("system_tables", "system_tables_data")
"""Its scripts begin with ``mysql_`` or, since version 11, with ``mariadb_``."""
FLAVOURS = ("mysql", "mariadb")


class MySql:
    """The server. ``stop`` and ``start`` keep data and address."""

    def __init__(self, folder: Path, port: int) -> None:
        self._process = Process("mysql", folder)
        self._folder = folder
        self._data = folder / "mysql"
        self.port = port
        self.user, self.password = USER, PASSWORD
        self.debezium_user, self.debezium_password = DEBEZIUM_USER, DEBEZIUM_PASSWORD

    @property
    def process(self) -> Process:
        """For its pid and log."""
        return self._process

    @property
    def flavour(self) -> str:
        """``mysql`` or ``mariadb``: which server was unpacked."""
        return available_flavour()

    def dsn(self, database: str = "") -> str:
        """The address of one database as a URL."""
        return f"mysql://{USER}:{PASSWORD}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers; the first time with empty tables."""
        if not self._data.exists():
            self._initialise()
        accounts = self._folder / "accounts.sql"
        accounts.write_text(ACCOUNTS.replace("\n ", " "))
        self._process.start(
            Command(
                [
                    *self._command(),
                    *OPTIONS,
                    *(MYSQL_OPTIONS if self.flavour == "mysql" else ()),
                    f"--port={self.port}",
                    f"--init-file={accounts}",
                ]
            ),
            self._is_ready,
        )

    def stop(self) -> None:
        """Shut down in order."""
        self._process.stop()

    def connect(self, database: str | None = None) -> Connection[Any]:
        """A new connection with autocommit."""
        return pymysql.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=PASSWORD,
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def create_database(self, name: str) -> None:
        """Make an empty database."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")

    def drop_database(self, name: str) -> None:
        """Delete a database with everything in it."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")

    def _command(self) -> list[str]:
        """The server with the options that it needs before all others."""
        root = prepare(self.flavour)
        program = "mysqld" if self.flavour == "mysql" else "mariadbd"
        account = ["--user=root"] if os.geteuid() == 0 else []
        return [
            *debian.loader(root),
            str(root / "usr" / "sbin" / program),
            "--no-defaults",
            *account,
            f"--basedir={root / 'usr'}",
            f"--datadir={self._data}",
            f"--lc-messages-dir={next(root.glob('usr/share/m*/english')).parent}",
            f"--plugin-dir={root / 'usr' / 'lib' / 'mysql' / 'plugin'}",
            f"--socket={self._folder / 'mysql.sock'}",
            f"--pid-file={self._folder / 'mysqld.own.pid'}",
        ]

    def _initialise(self) -> None:
        """Make the data folder by a copy of one that is made once."""
        with filling(servers() / f"{self.flavour}-data") as folder:
            if folder:
                folder.rmdir()
                self._make_tables(folder)
        shutil.copytree(servers() / f"{self.flavour}-data", self._data)

    def _make_tables(self, folder: Path) -> None:
        maker = MySql(self._folder, self.port)
        maker._data = folder
        if self.flavour == "mysql":
            run_quietly([*maker._command(), "--initialize-insecure"])
            return
        folder.mkdir()
        (folder / "mysql").mkdir()
        share = prepare("mariadb") / "usr" / "share"
        files = [next(share.glob(f"m*/m*_{name}.sql")) for name in MARIADB_SYSTEM]
        statements = "\n".join(["USE mysql;", *(file.read_text() for file in files), ""])
        run_quietly([*maker._command(), "--bootstrap"], input=statements)

    def _is_ready(self) -> bool:
        if not answers(self.port):
            return False
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True


def prepare(flavour: str) -> Path:
    """Download and unpack one of the two; the folder it is in."""
    packages = {
        "mysql": (versions.MYSQL_PACKAGE, versions.MYSQL_SUITE),
        "mariadb": (versions.MARIADB_PACKAGE, None),
    }
    target = servers() / flavour
    with filling(target) as folder:
        if folder:
            debian.unpack(*packages[flavour], folder)
    return target


def available_flavour() -> str:
    """MySQL, or MariaDB if MySQL cannot be downloaded; ``VECSINK_STACK_MYSQL`` chooses.

    Raises:
        StackUnavailable: neither can be had.
    """
    wanted = os.environ.get("VECSINK_STACK_MYSQL")
    choices = (wanted,) if wanted else FLAVOURS
    unpacked = [flavour for flavour in choices if (servers() / flavour).is_dir()]
    if unpacked:
        return unpacked[0]
    reasons = []
    for flavour in choices:
        try:
            prepare(flavour)
        except StackUnavailable as error:
            reasons.append(str(error))
        else:
            return flavour
    raise StackUnavailable("\n".join(reasons))
