"""A real Kafka broker: one node that is broker and controller, on a port that it keeps."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from tests.stack import artifacts
from tests.stack.java import run_quietly
from tests.stack.ports import HOST, answers
from tests.stack.process import Command, Process
from tests.stack.topics import Topics

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
log.dirs={data}
num.partitions=3
auto.create.topics.enable=false
delete.topic.enable=true
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=2
"""


class Kafka:
    """The broker. ``stop`` and ``start`` keep its data and its address."""

    def __init__(self, folder: Path, port: int, controller_port: int) -> None:
        self._process = Process("kafka", folder)
        self._settings_file = folder / "kafka.properties"
        self._data = folder / "kafka"
        self._port = port
        self._controller_port = controller_port
        self.bootstrap = f"{HOST}:{port}"
        self.topics = Topics(self.bootstrap)

    @property
    def process(self) -> Process:
        """For its pid and log."""
        return self._process

    def start(self) -> None:
        """Start and wait until it answers; the first time with an empty log folder."""
        jars = artifacts.kafka()
        if not self._data.exists():
            self._format(jars)
        command = Command(
            ["java", "-Xmx640m", "-Xms256m", "-cp", f"{jars}/*", "kafka.Kafka", self._settings_file]
        )
        self._process.start(command, self._is_ready)

    def stop(self) -> None:
        """Shut down in order."""
        self._process.stop()

    def kill(self) -> None:
        """End as in a power cut."""
        self._process.kill()

    def _format(self, jars: Path) -> None:
        settings = SETTINGS.format(
            host=HOST, port=self._port, controller_port=self._controller_port, data=self._data
        )
        self._settings_file.write_text(settings)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
        file = str(self._settings_file)
        id_option = f"--cluster-id={cluster}"  # it may begin with a dash
        run_quietly([*tool, "kafka.tools.StorageTool", "format", id_option, "-c", file])

    def _is_ready(self) -> bool:
        return answers(self._port) and self.topics.broker_answers()
