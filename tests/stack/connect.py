"""A real Kafka Connect worker with Debezium, and the connectors that tests register on it."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from tests.stack import artifacts
from tests.stack.java import QUICK_JVM
from tests.stack.ports import HOST, answers
from tests.stack.process import Command, Process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.stack.kafka import Kafka
    from tests.stack.mysql import MySql
    from tests.stack.postgres import Postgres
    from tests.stack.registry import Registry

SETTINGS = """
bootstrap.servers={bootstrap}
listeners=http://{host}:{port}
rest.advertised.host.name={host}
group.id=stack-connect
config.storage.topic=stack-connect-configs
offset.storage.topic=stack-connect-offsets
status.storage.topic=stack-connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
offset.flush.interval.ms=1000
scheduled.rebalance.max.delay.ms=0
plugin.path={plugins}
plugin.discovery=only_scan
topic.creation.enable=true
key.converter=io.confluent.connect.avro.AvroConverter
key.converter.schema.registry.url={registry}
value.converter=io.confluent.connect.avro.AvroConverter
value.converter.schema.registry.url={registry}
"""
LOGGING = """
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRefs = console
rootLogger.appenderRef.console.ref = console
"""
POSTGRES_CLASS = "io.debezium.connector.postgresql.PostgresConnector"
MYSQL_CLASSES = {
    "mysql": "io.debezium.connector.mysql.MySqlConnector",
    "mariadb": "io.debezium.connector.mariadb.MariaDbConnector",
}
WAIT_S = 60.0
REQUEST_S = 30.0
COMMON = {
    "tasks.max": "1",
    "topic.creation.default.partitions": "3",
    "topic.creation.default.replication.factor": "1",
    "poll.interval.ms": "50",
    "schema.name.adjustment.mode": "avro",
}


def postgres_settings(
    postgres: Postgres, name: str, database: str, topic_prefix: str, tables: Sequence[str]
) -> dict[str, str]:
    """The config of a connector that captures tables such as ``public.products``."""
    stem = name.replace("-", "_")
    return COMMON | {
        "connector.class": POSTGRES_CLASS,
        "plugin.name": "pgoutput",
        "database.hostname": HOST,
        "database.port": str(postgres.port),
        "database.user": postgres.user,
        "database.password": postgres.password,
        "database.dbname": database,
        "topic.prefix": topic_prefix,
        "table.include.list": ",".join(tables),
        "slot.name": f"{stem}_slot",
        "publication.name": f"{stem}_publication",
        "publication.autocreate.mode": "filtered",
    }


@dataclass(frozen=True, slots=True)
class Connector:
    """A registered connector."""

    name: str
    topic_prefix: str
    config: Mapping[str, str]
    clean_up: Callable[[], None]
    """Removes what it left in its database."""

    def topic(self, table: str) -> str:
        """The topic of a table; for MySQL say ``database.table``."""
        return f"{self.topic_prefix}.{table}"


class Connect:
    """The worker. ``stop`` and ``start`` keep its address; its state is in Kafka."""

    def __init__(self, folder: Path, port: int, *, kafka: Kafka, registry: Registry) -> None:
        self._process = Process("connect", folder)
        self._folder = folder
        self._port = port
        self._kafka = kafka
        self._registry = registry
        self.url = f"http://{HOST}:{port}"

    @property
    def process(self) -> Process:
        """For its pid and log."""
        return self._process

    def start(self, flavour: str) -> None:
        """Start with the connectors for Postgres and this flavour of MySQL, and wait for REST."""
        jars = artifacts.kafka()
        plugins = [artifacts.debezium("postgres"), artifacts.debezium(flavour)]
        plugins += [artifacts.avro_converter(), artifacts.file_sink()]
        settings = SETTINGS.format(
            bootstrap=self._kafka.bootstrap,
            host=HOST,
            port=self._port,
            plugins=plugins[0].parent,
            registry=self._registry.url,
        )
        settings_file = self._folder / "connect.properties"
        settings_file.write_text(settings)
        logging_file = self._folder / "log4j2.properties"
        logging_file.write_text(LOGGING)
        log = f"-Dlog4j2.configurationFile={logging_file}"
        java = ["java", "-Xmx768m", *QUICK_JVM, log, "-cp", f"{jars}/*"]
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        self._process.start(Command([*java, main, settings_file]), self._is_ready)

    def stop(self) -> None:
        """Shut down in order."""
        self._process.stop()

    def register(
        self, name: str, config: Mapping[str, str], clean_up: Callable[[], None]
    ) -> Connector:
        """Create a connector and wait until its task runs."""
        self._request("PUT", f"/connectors/{name}/config", dict(config))
        self.wait_running(name)
        return Connector(name, config["topic.prefix"], config, clean_up)

    def register_postgres(
        self,
        postgres: Postgres,
        *,
        name: str,
        database: str,
        topic_prefix: str,
        tables: Sequence[str],
        config: Mapping[str, str] | None = None,
    ) -> Connector:
        """Capture tables such as ``public.products``; ``config`` adds or replaces settings."""
        settings = postgres_settings(postgres, name, database, topic_prefix, tables)
        clean_up = partial(
            postgres.drop_replication,
            database,
            settings["slot.name"],
            settings["publication.name"],
        )
        return self.register(name, settings | dict(config or {}), clean_up)

    def register_mysql(
        self,
        mysql: MySql,
        *,
        name: str,
        database: str,
        topic_prefix: str,
        tables: Sequence[str],
        config: Mapping[str, str] | None = None,
    ) -> Connector:
        """Capture tables such as ``shop.products``; ``config`` adds or replaces settings."""
        settings = COMMON | {
            "connector.class": MYSQL_CLASSES[mysql.flavour],
            "database.hostname": HOST,
            "database.port": str(mysql.port),
            "database.user": mysql.debezium_user,
            "database.password": mysql.debezium_password,
            "database.server.id": str(zlib.crc32(name.encode()) % 2**31 + 1),
            "database.include.list": database,
            "topic.prefix": topic_prefix,
            "table.include.list": ",".join(tables),
            "schema.history.internal.kafka.bootstrap.servers": self._kafka.bootstrap,
            "schema.history.internal.kafka.topic": f"{topic_prefix}.schema-history",
            "include.schema.changes": "true",
        }
        return self.register(name, settings | dict(config or {}), _nothing)

    def delete(self, connector: Connector) -> None:
        """Remove it, and what it left in its database."""
        self.remove(connector.name)
        connector.clean_up()

    def remove(self, name: str) -> None:
        """Delete a connector with its offsets, when its task is gone."""
        self._request("PUT", f"/connectors/{name}/stop")
        self._wait(name, lambda status: not status["tasks"])
        self._request("DELETE", f"/connectors/{name}/offsets")
        self._request("DELETE", f"/connectors/{name}")

    def status(self, name: str) -> dict[str, Any]:
        """Connect's own answer: ``connector``, ``tasks``, each with a ``state``."""
        found: dict[str, Any] = self._request("GET", f"/connectors/{name}/status")
        return found

    def pause(self, name: str) -> None:
        """Hold it, and wait until it holds."""
        self._request("PUT", f"/connectors/{name}/pause")
        self._wait(name, lambda status: _states(status) == {"PAUSED"})

    def resume(self, name: str) -> None:
        """Let it go on, and wait until it runs."""
        self._request("PUT", f"/connectors/{name}/resume")
        self.wait_running(name)

    def restart(self, name: str) -> None:
        """Restart what failed, as after a restart of its database."""
        query = "includeTasks=true&onlyFailed=true"
        self._request("POST", f"/connectors/{name}/restart?{query}")

    def wait_running(self, name: str) -> None:
        """Wait until connector and task run.

        Raises:
            RuntimeError: the task failed; its trace is in the message.
            TimeoutError: neither happened.
        """
        self._wait(name, _runs)

    def _wait(self, name: str, done: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        status: dict[str, Any] = {}
        while time.monotonic() < deadline:
            found = httpx.get(f"{self.url}/connectors/{name}/status", timeout=REQUEST_S)
            status = found.json() if found.is_success else {}
            if status and done(status):
                return
            time.sleep(0.1)
        raise TimeoutError(f"connector {name} is still {status}")

    def _request(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        """Send, also again while the worker rebalances (409)."""
        deadline = time.monotonic() + WAIT_S
        while True:
            answer = httpx.request(method, f"{self.url}{path}", json=body, timeout=REQUEST_S)
            if answer.status_code != httpx.codes.CONFLICT or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:2000]}")
        return answer.json() if answer.content else None

    def _is_ready(self) -> bool:
        if not answers(self._port):
            return False
        try:
            return httpx.get(f"{self.url}/connectors", timeout=5.0).is_success
        except httpx.TransportError:
            return False


def _states(status: Mapping[str, Any]) -> set[str]:
    parts = [status["connector"], *status["tasks"]] if status else []
    return {part["state"] for part in parts}


def _runs(status: Mapping[str, Any]) -> bool:
    states = _states(status)
    if "FAILED" in states:
        raise RuntimeError(f"{status['name']} failed: {_trace(status)}")
    return bool(status["tasks"]) and states == {"RUNNING"}


def _trace(status: Mapping[str, Any]) -> str:
    parts = [status["connector"], *status["tasks"]]
    return "\n".join(part.get("trace", "") for part in parts)[:4000]


def _nothing() -> None:
    """MySQL keeps nothing of a connector."""
