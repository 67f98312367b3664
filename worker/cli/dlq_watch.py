"""``vecsink dlq watch``: counts and newest errors, until Ctrl-C."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from worker.cli.dlq_list import newest
from worker.cli.dlq_object import list_object, write
from worker.cli.dlq_report import headline, records, totals
from worker.cli.errors import ExitCode
from worker.cli.one_connector import one_connector
from worker.cli.status import again_and_again
from worker.explain.wording import moment
from worker.triage.tally import Tally
from worker.triage.vigil import Vigil
from worker.triaging import dlq_topic_of, mailbox_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.triage.mailbox import Found

_SHOWN = 10


def watch(path: Path, *, worker_file: Path | None, as_json: bool) -> int:
    """Look every two seconds; Ctrl-C is its good end.

    Raises:
        ConfigError: a file is wrong, or the connector has no dead-letter topic.
        RetriableError, FatalError: Kafka does not answer at first, or does not let us in.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    worker, config = one_connector(path, worker_file, "dlq watch")
    topic = dlq_topic_of(config)
    with contextlib.suppress(KeyboardInterrupt), mailbox_of(worker, config) as mailbox:
        vigil = Vigil(mailbox)
        if as_json:
            again_and_again(
                lambda: write(_object(config.name, topic, vigil.look()), indented=False),
                Console(stderr=True),
            )
        else:
            with Live(console=Console(), auto_refresh=False) as live:
                again_and_again(
                    lambda: live.update(_shown(topic, vigil.look()), refresh=True), live.console
                )
    return ExitCode.OK


def _object(connector: str, topic: str, found: Found) -> dict[str, object]:
    shown = newest(found.cases, _SHOWN)
    return list_object(connector, topic, found, Tally.of(found.cases), shown)


def _shown(topic: str, found: Found) -> Group:
    whole, tally = Tally.of(found.all), Tally.of(found.cases)
    parts = [Text(headline(topic, whole), "bold")]
    if not tally.letters:
        return Group(*parts, Text("Nothing is open."))
    since = f"Open since {moment(tally.first_ms)}, the last one came {moment(tally.last_ms)}"
    classes = next(iter(totals(tally)))
    return Group(*parts, Text(since), classes, records(newest(found.cases, _SHOWN)))
