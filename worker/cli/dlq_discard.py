"""``vecsink dlq discard``: letters that are not needed, with the reason."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.console import Console

from worker.cli.dlq_object import case_object, write
from worker.cli.errors import ExitCode
from worker.cli.one_connector import one_connector
from worker.cli.progress import record_progress
from worker.errors import ConfigError
from worker.triaging import desk_of, dlq_topic_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.triage.selection import Selection


def discard(
    path: Path, chosen: Selection, *, worker_file: Path | None, reason: str, as_json: bool
) -> int:
    """Close what is meant and open. Stopped half-way, what was closed stays so.

    Raises:
        ConfigError: a file is wrong, the reason is empty, or there is no dead-letter topic.
        RetriableError, FatalError: Kafka does not answer, or does not let us.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    reason = reason.strip()
    if not reason:
        raise ConfigError("--reason is empty: say why these are not needed, as it stays on record")
    worker, config = one_connector(path, worker_file, "dlq discard")
    topic = dlq_topic_of(config)
    with desk_of(worker, config) as desk:
        ends = desk.mailbox.ends()
        total = sum(one.log.length for one in ends.values())
        with record_progress(topic, total, unit="letters") as progress:
            found = desk.mailbox.find(chosen, ends, progress)
        meant = [case for case in found.cases if case.is_open]
        desk.closing.discard(meant, reason)
        left = len(desk.closing.mark(found))
    if as_json:
        closed = [case_object(case) for case in found.cases if not case.is_open]
        write({"discarded": len(meant), "open": left, "reason": reason, "records": closed})
    else:
        Console().print(
            f"{topic}: {len(meant):,} discarded ({reason}); {left:,} still open.",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    return ExitCode.OK
