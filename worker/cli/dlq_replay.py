"""``vecsink dlq replay``: asks the worker to put letters back, and shows how far it is."""

from __future__ import annotations

import logging
import threading
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

from rich.console import Console

from worker.cli.dlq_object import replay_object, write
from worker.cli.dlq_replay_report import print_left_out, print_summary
from worker.cli.errors import ExitCode, signal_exit
from worker.cli.one_connector import one_connector
from worker.cli.own_worker import StandIn, end
from worker.cli.progress import record_progress
from worker.letters.standing import LetterState
from worker.runtime.signals import stopping_on_signals
from worker.triage.replay import Replay, Terms, homeless
from worker.triage.vigil import Vigil
from worker.triaging import desk_of, dlq_topic_of, places_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.progress import RecordProgress
    from worker.triage.selection import Selection

_REFRESH_S = 0.2
_CLOSED_WELL = frozenset({LetterState.REPLAYED, LetterState.SUPERSEDED, LetterState.DISCARDED})


def replay(  # noqa: PLR0913 - the options of a command
    path: Path,
    chosen: Selection,
    *,
    worker_file: Path | None,
    rate: float | None,
    force: bool,
    as_json: bool,
) -> int:
    """Replay what is meant; ends when all of it is answered, or by Ctrl-C.

    Raises:
        ConfigError: a file is wrong, or the connector has no dead-letter topic.
        RetriableError, FatalError: Kafka does not answer, or does not let us in.
        WorkerError: a worker had to be run here, and failed.
    """
    console = Console(stderr=True)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    worker, config = one_connector(path, worker_file, "dlq replay")
    topic = dlq_topic_of(config)
    with desk_of(worker, config) as desk, closing(StandIn(worker, config)) as stand_in:
        ends = desk.mailbox.ends()
        total = sum(one.log.length for one in ends.values())
        with record_progress(topic, total, unit="letters") as progress:
            found = desk.mailbox.find(chosen, ends, progress)
        lost = homeless(found.cases, places_of(worker, config))
        worn = [] if force else [c for c in found.cases if c.state is LetterState.QUARANTINED]
        left_out = {case.id for case in (*lost, *worn)}
        cases = [case for case in found.cases if case.id not in left_out]
        print_left_out(console, lost, worn)
        run = Replay.of(desk.book, cases, desk.closing.waiting)
        terms = Terms(uuid.uuid4().hex[:8], rate, force)
        received = _carried_out(topic, run, terms, stand_in, console) if cases else None
        left = len(desk.closing.mark(Vigil(desk.mailbox, found).look()))
        if as_json:
            write(replay_object(run, lost=len(lost), worn=len(worn), left=left))
        else:
            print_summary(Console(), topic, run, left)
    if received is not None:
        return end(signal_exit(received))
    is_well = not left_out and run.answers().keys() <= _CLOSED_WELL
    return end(ExitCode.OK if is_well else ExitCode.RUNTIME)


def _carried_out(
    topic: str, run: Replay, terms: Terms, stand_in: StandIn, console: Console
) -> int | None:
    """Ask, and wait for the answers; the signal that ended the waiting, if one did.

    What is not answered by then stays asked for.
    """
    stop = threading.Event()
    with stopping_on_signals(stop) as signals:
        run.ask(terms)
        stand_in.look(patience_s=0.0)
        if stand_in.is_working:
            console.print("Nobody works for the connector's group: this command does, to the end.")
        with record_progress(topic, len(run.letters), unit="letters") as progress:
            _watch(run, stand_in, stop, progress)
    return signals.received


def _watch(run: Replay, stand_in: StandIn, stop: threading.Event, progress: RecordProgress) -> None:
    done, said = 0, ""
    while not stop.is_set() and done < len(run.letters):
        answered = run.answers().total()
        if answered != done:
            progress(answered - done)
            done = answered
        stand_in.look()
        delay = stand_in.why(run.delays())
        if delay and delay != said:
            progress.say(f"Waiting: {delay}.")
        said = delay
        stop.wait(_REFRESH_S)
