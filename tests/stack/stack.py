"""All servers together: prepared, started side by side, found again, stopped, removed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.stack import artifacts
from tests.stack.connect import Connect
from tests.stack.home import locked, test_runs
from tests.stack.java import require_java
from tests.stack.kafka import Kafka
from tests.stack.mysql import MySql, available_flavour
from tests.stack.ports import free_ports
from tests.stack.postgres import Postgres
from tests.stack.process import Process, birth
from tests.stack.registry import Registry
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from pathlib import Path

STATE_FILE = "state.json"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one run."""

    kafka: int
    kafka_controller: int
    registry: int
    connect: int
    postgres: int
    mysql: int


class Stack:
    """One run of all servers. Its folder has ``state.json``, pid files, logs and data."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self._folder = folder
        self.ports = ports
        self.kafka = Kafka(folder, ports.kafka, ports.kafka_controller)
        self.registry = Registry(folder, ports.registry)
        self.postgres = Postgres(folder, ports.postgres)
        self.mysql = MySql(folder, ports.mysql)
        self.connect = Connect(folder, ports.connect, kafka=self.kafka, registry=self.registry)

    @property
    def processes(self) -> list[Process]:
        """Every server's process, in the order of stopping."""
        servers = (self.connect, self.registry, self.kafka, self.mysql, self.postgres)
        return [server.process for server in servers]

    @property
    def is_running(self) -> bool:
        """Whether every server runs."""
        return all(process.pid is not None for process in self.processes)

    def addresses(self) -> dict[str, str]:
        """Where each server listens."""
        return {
            "kafka": self.kafka.bootstrap,
            "registry": self.registry.url,
            "connect": self.connect.url,
            "postgres": self.postgres.dsn(),
            self.mysql.flavour: self.mysql.dsn(),
        }

    def start(self) -> None:
        """Start all; what needs nothing side by side."""
        with ThreadPoolExecutor() as pool:
            first = [self.kafka.start, self.registry.start, self.postgres.start, self.mysql.start]
            for started in [pool.submit(start) for start in first]:
                started.result()
        self.connect.start(self.mysql.flavour)

    def stop(self) -> None:
        """Stop all, as far as they run, and delete their data."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda stop: stop(), [self.connect.stop, self.registry.stop]))
            others = [self.kafka.stop, self.mysql.stop, self.postgres.stop]
            list(pool.map(lambda stop: stop(), others))
        self.postgres.remove_data()
        shutil.rmtree(self._folder, ignore_errors=True)


def prepare() -> None:
    """Download whatever is missing.

    Raises:
        StackUnavailable: something cannot be had on this machine.
    """
    if sys.platform != "linux":
        raise StackUnavailable("the stack runs on Linux only")
    with locked("prepare"):
        require_java()
        flavour = available_flavour()
        artifacts.kafka()
        artifacts.registry()
        artifacts.java_for_registry()
        artifacts.avro_converter()
        artifacts.file_sink()
        artifacts.debezium("postgres")
        artifacts.debezium(flavour)


def up(folder: Path) -> Stack:
    """A running stack in this run folder: the one that runs there, or a new one.

    Raises:
        StackUnavailable: something is missing on this machine.
    """
    running = find(folder)
    if running is not None:
        return running
    prepare()
    down(folder)
    folder.mkdir(parents=True)
    ports = Ports(*free_ports(6))
    stack = Stack(folder, ports)
    (folder / STATE_FILE).write_text(json.dumps({"ports": asdict(ports)}))
    try:
        stack.start()
    except BaseException:
        stack.stop()
        raise
    state = {"ports": asdict(ports), "addresses": stack.addresses()}
    (folder / STATE_FILE).write_text(json.dumps(state, indent=2))
    return stack


def find(folder: Path) -> Stack | None:
    """The stack of this run folder, if all of it runs."""
    stack = _remembered(folder)
    return stack if stack is not None and stack.is_running else None


def down(folder: Path) -> None:
    """Stop whatever of this run folder still runs, also after a crash, and delete its data."""
    stack = _remembered(folder)
    if stack is not None:
        stack.stop()
    shutil.rmtree(folder, ignore_errors=True)


def down_abandoned() -> None:
    """Stop the stacks of test sessions that are gone."""
    with locked("abandoned"):
        for folder in test_runs().glob("*-*"):
            pid, _, born = folder.name.partition("-")
            if birth(int(pid)) != born:
                down(folder)


def own_run() -> Path:
    """The run folder of this very process."""
    return test_runs() / f"{os.getpid()}-{birth(os.getpid())}"


def _remembered(folder: Path) -> Stack | None:
    try:
        state = json.loads((folder / STATE_FILE).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return Stack(folder, Ports(**state["ports"]))
