"""The connector of a file, for commands that look at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.checks import CHECKS
from worker.cli.worker_settings import worker_settings
from worker.config.load import load
from worker.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig


def one_connector(
    path: Path, worker_file: Path | None, command: str
) -> tuple[WorkerConfig, ConnectorConfig]:
    """The worker's settings, and those of the file's only connector.

    Raises:
        ConfigError: a file is wrong, or it has several.
    """
    worker = worker_settings(worker_file)
    connectors = load([path], worker=worker, checks=CHECKS).require()
    if len(connectors) != 1:
        raise ConfigError(
            f"{path} has {len(connectors)} connectors; {command} takes a file with one"
        )
    return worker, connectors[0]
