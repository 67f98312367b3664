"""The worker as its users run it: the ``vecsink`` command in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from worker.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.stack.stack import Stack

COMMAND = Path(sys.executable).parent / "vecsink"
PATIENCE_S = 60.0


def vecsink(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [COMMAND, *args],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


class WorkerProcess:
    """``vecsink run`` with one connector file."""

    def __init__(
        self, folder: Path, stack: Stack, config: Mapping[str, str], name: str = "w"
    ) -> None:
        self._log = folder / f"{name}.log"
        self._file = folder / f"{config['name']}.json"
        self._file.write_text(json.dumps(config))
        self._environment = {
            **os.environ,
            "CONNECT_BOOTSTRAP_SERVERS": stack.kafka.bootstrap,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start; a second start goes on in the same log."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "run", str(self._file), *options],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def close(self) -> None:
        """End it if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


def committed(stack: Stack, group: str, topic: str) -> dict[TopicPartition, int]:
    """What the group has committed, as the broker says."""
    return {place: offset for place, (offset, _) in commits(stack, group, topic).items()}


def commits(stack: Stack, group: str, topic: str) -> dict[TopicPartition, tuple[int, str | None]]:
    """The same with the commits' metadata."""
    from confluent_kafka import Consumer  # noqa: PLC0415 - only this needs it
    from confluent_kafka import TopicPartition as KafkaPartition  # noqa: PLC0415

    consumer = Consumer({"bootstrap.servers": stack.kafka.bootstrap, "group.id": group})
    try:
        wanted = [KafkaPartition(topic, p) for p in range(stack.kafka.topics.partitions(topic))]
        found = consumer.committed(wanted, timeout=PATIENCE_S)
        return {
            TopicPartition(one.topic, one.partition): (one.offset, one.metadata)
            for one in found
            if one.offset >= 0
        }
    finally:
        consumer.close()


def eventually(holds: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Wait until it holds.

    Raises:
        AssertionError: it never did; the last failed assertion is chained.
    """
    deadline = time.monotonic() + timeout_s
    last: AssertionError | None = None
    while time.monotonic() < deadline:
        try:
            if holds() is not False:
                return
        except AssertionError as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"after {timeout_s:.0f} s still not: {what}") from last
