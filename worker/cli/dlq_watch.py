"""``vecsink dlq watch``: counts and newest errors, until Ctrl-C."""

from __future__ import annotations

import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from worker.cli.dlq_list import newest
from worker.cli.dlq_object import list_object, write
from worker.cli.dlq_report import MOST_OF_A_KIND, harmless, headline, records, totals
from worker.cli.errors import ExitCode
from worker.cli.one_connector import one_connector
from worker.errors import RetriableError
from worker.explain.wording import moment
from worker.immutable import immutable
from worker.triage.tally import Tally
from worker.triage.vigil import Vigil
from worker.triaging import dlq_topic_of, mailbox_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import ConsoleDimensions, RenderableType

    from worker.triage.mailbox import Found

_EVERY_S = 2.0
_SHOWN = 10
_HEAD_LINES = 12
"""Of a terminal: what stands above, between and below the two tables, with their frames."""


@immutable
class Look:
    """What was seen last, and what is in the way of seeing more."""

    found: Found
    at: datetime
    trouble: str = ""
    """Why it is not newer."""


def watch(path: Path, *, worker_file: Path | None, as_json: bool) -> int:
    """Look every two seconds; Ctrl-C is its good end.

    Raises:
        ConfigError: a file is wrong, or the connector has no dead-letter topic.
        RetriableError, FatalError: Kafka does not answer at first, or does not let us in.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    worker, config = one_connector(path, worker_file, "dlq watch")
    topic = dlq_topic_of(config)
    console = Console()
    with contextlib.suppress(KeyboardInterrupt), mailbox_of(worker, config) as mailbox:
        looks = _looks(Vigil(mailbox).look)
        if as_json:
            _write_objects(looks, config.name, topic)
        elif console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                for look in looks:
                    live.update(frame(topic, look, console.size), refresh=True)
        else:
            _print_lines(looks, console, topic)
    return ExitCode.OK


def _looks(find: Callable[[], Found]) -> Iterator[Look]:
    """One after another, for ever. An outage of the brokers is said, and waited for.

    Raises:
        RetriableError: they do not answer the first time.
    """
    look = Look(find(), _now())
    while True:
        yield look
        time.sleep(_EVERY_S)
        try:
            look = Look(find(), _now())
        except RetriableError as error:
            look = Look(look.found, look.at, str(error))


def frame(topic: str, look: Look, size: ConsoleDimensions) -> RenderableType:
    """What a terminal of this size shows of a look."""
    whole, tally = Tally.of(look.found.all), Tally.of(look.found.cases)
    parts: list[RenderableType] = [Text(headline(topic, whole), "bold")]
    if look.trouble:
        stale = f"As of {look.at:%H:%M:%S} UTC: {harmless(look.trouble)}"
        parts.append(Text(stale, "yellow"))
    else:
        parts.append(Text(f"{look.at:%Y-%m-%d %H:%M:%S} UTC; Ctrl-C ends", "dim"))
    if not tally.letters:
        return Group(*parts, Text("Nothing is open."))
    parts.append(Text(f"Open since {_second(tally.first_ms)}; the last {_second(tally.last_ms)}"))
    classes = next(iter(totals(tally)))
    room = size.height - _HEAD_LINES - min(len(tally.kinds), MOST_OF_A_KIND)
    shown = newest(look.found.cases, max(1, min(_SHOWN, room)))
    return Group(*parts, classes, records(shown, size.width))


def line(topic: str, look: Look) -> str:
    """What a look says in a log or a pipe; the same words as long as nothing changes."""
    tally = Tally.of(look.found.cases)
    said = headline(topic, Tally.of(look.found.all))
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in tally.kinds.most_common())
    if kinds:
        said += f" ({kinds}); the last one {_second(tally.last_ms)}"
    return harmless(said if not look.trouble else f"{said}; not known any better: {look.trouble}")


def _print_lines(looks: Iterator[Look], console: Console, topic: str) -> None:
    said = ""
    for look in looks:
        now = line(topic, look)
        if now != said:
            stamped = f"{_now():%Y-%m-%dT%H:%M:%SZ} {now}"
            console.print(stamped, markup=False, highlight=False, soft_wrap=True)
            console.file.flush()
        said = now


def _write_objects(looks: Iterator[Look], connector: str, topic: str) -> None:
    """A line each time; an outage is said beside them, once."""
    away = Console(stderr=True)
    trouble = ""
    for look in looks:
        if not look.trouble:
            shown = newest(look.found.cases, _SHOWN)
            tally = Tally.of(look.found.cases)
            write(list_object(connector, topic, look.found, tally, shown), indented=False)
        elif look.trouble != trouble:
            away.print(look.trouble, markup=False, highlight=False, soft_wrap=True)
        trouble = look.trouble


def _now() -> datetime:
    return datetime.now(UTC)


def _second(ms: int | None) -> str:
    return "?" if ms is None else f"{moment(ms)[:19]}Z".replace("T", " ")
