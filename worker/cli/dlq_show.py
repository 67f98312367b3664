"""``vecsink dlq show``: one letter, fully."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.console import Console

from worker.cli.dlq_dossier import dossier_object, print_dossier
from worker.cli.dlq_object import write
from worker.cli.errors import ExitCode
from worker.cli.one_connector import one_connector
from worker.clock import SystemClock
from worker.errors import ConfigError
from worker.index import Index
from worker.throttle.accounts import Accounts
from worker.treasury import Counting
from worker.triage.dossier import dossier_of
from worker.triage.selection import Stretch
from worker.triaging import dlq_topic_of, foresight_of, mailbox_of

if TYPE_CHECKING:
    from pathlib import Path


def show(path: Path, letter: str, *, worker_file: Path | None, as_json: bool) -> int:
    """Print everything about a letter; its row and text are shown here alone.

    Raises:
        ConfigError: a file is wrong, or there is no such letter.
        RetriableError, FatalError: something does not answer, or refuses.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    place = Stretch.parse(letter)
    if place.last != place.first:
        raise ConfigError(f"{letter!r} is not one letter: write PARTITION:OFFSET, such as 0:17")
    worker, config = one_connector(path, worker_file, "dlq show")
    topic = dlq_topic_of(config)
    with (
        mailbox_of(worker, config) as mailbox,
        Index(config, Accounts(SystemClock()), Counting()) as index,
        foresight_of(worker, config, index) as (foresight, explainer),
    ):
        found = dossier_of(place, topic, mailbox, explainer, foresight)
    if as_json:
        write(dossier_object(found))
    else:
        print_dossier(found, Console())
    return ExitCode.OK
