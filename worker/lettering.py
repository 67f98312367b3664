"""Puts together what the console needs to look after a connector's dead letters."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.console.room import Room, Tools
from worker.errors import ConfigError
from worker.index import Index
from worker.runtime.refusals import BadRequestError
from worker.throttle.accounts import Accounts
from worker.treasury import Counting
from worker.triaging import desk_of, dlq_topic_of, foresight_of, mailbox_of, places_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.triage.closing import Closing
    from worker.triage.outlook import Foresight


def room_of(worker: WorkerConfig, config: ConnectorConfig) -> Room:
    """Nothing is opened yet.

    Raises:
        BadRequestError: the connector has no dead-letter topic.
    """
    try:
        topic = dlq_topic_of(config)
    except ConfigError as error:
        raise BadRequestError(str(error)) from error

    @contextmanager
    def closing() -> Iterator[Closing]:
        with desk_of(worker, config) as desk:
            yield desk.closing

    @contextmanager
    def foresight() -> Iterator[Foresight]:
        with (
            Index(config, Accounts(SystemClock()), Counting()) as index,
            foresight_of(worker, config, index) as (found, _),
        ):
            yield found

    return Room(
        topic,
        Tools(
            mailbox=lambda: mailbox_of(worker, config),
            closing=closing,
            foresight=foresight,
            places=lambda: places_of(worker, config),
        ),
    )
