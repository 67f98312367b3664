"""What the demo prints: colours and a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from worker.demo.bar import bar, line
from worker.demo.hits import hits_table
from worker.demo.wording import DONE, done_with, what_happened
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from worker.demo.machine import Servers
    from worker.demo.shop import Event
    from worker.model import Outcome
    from worker.store.port import Match

_WIDTH = 80
_LINES = 4
"""Of progress, where there is no terminal."""


@immutable
class Sums:
    """What it all came to."""

    rows: int
    """Of the snapshot."""
    changes: int
    """Rows that changed after it; a delete and its tombstone are one."""
    texts: int
    """Sent to the embedder."""
    reused: int
    """Rows written with the vector that was there."""
    committed: int
    """Offsets."""
    points: int
    seconds: float


def console_for(stream: TextIO) -> Console:
    """A console of 80 columns, or of fewer on a narrow terminal."""
    console = Console(file=stream, highlight=False, emoji=False)
    console.width = min(_WIDTH, console.width)
    return console


class Show:
    """Prints what happens as it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def title(self) -> None:
        """Say what is to come."""
        self._say("vecsink demo", "bold")
        self._say("A shop's products, from a recording of real Debezium traffic, to vectors.\n")

    def started(self, servers: Servers, connector: Mapping[str, str]) -> None:
        """Name the parts, and show how little a user writes."""
        self._pair("Kafka", f"{servers.brokers}, an embedded broker")
        self._pair("Registry", f"{servers.registry}, with the recording's Avro schemas")
        self._pair("Pinecone", f"{servers.pinecone}, vecsink pinecone-local, by Pinecone's client")
        self._pair("Worker", "all that it is told, besides the broker's address:\n")
        for text in json.dumps(connector, indent=2).splitlines():
            self._console.print(Text(f"  {text}", "cyan"), soft_wrap=True)
        self._console.print()

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner, and how long it took."""
        began_s = time.monotonic()
        with self._console.status(what):
            yield
        self._pair("Worker", f"{what}: {time.monotonic() - began_s:.1f} s")

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[int], None]]:
        """Rows done so far go into the function that this gives."""
        began_s = time.monotonic()
        if self._console.is_terminal:
            with bar(self._console, total) as advance:
                yield advance
        else:
            yield self._lines(total, began_s)
        self._console.print()

    def story(self, title: str) -> None:
        """A headline."""
        self._console.rule(Text(title, "bold"), characters="-", style="dim", align="left")

    def before(self, question: str, hits: Sequence[Match]) -> None:
        """The first answer."""
        self._say(f"\n? {question}", "bold cyan")
        self._console.print(hits_table(hits, hits))
        self._console.print()

    def change(self, event: Event, gained: Mapping[Outcome, int], seconds: float) -> None:
        """A change in the database, and what the worker did about it."""
        text = Text(f"{what_happened(event):<58}", "yellow")
        text.append(f"{done_with(gained):>14}", "green")
        text.append(f" {seconds:5.2f} s", "dim")
        self._console.print(text)

    def after(self, question: str, before: Sequence[Match], hits: Sequence[Match]) -> None:
        """The second answer, with what moved."""
        self._say(f"\n? {question}", "bold cyan")
        self._console.print(hits_table(hits, before))
        present = {hit.id for hit in hits}
        for place, hit in enumerate(before, start=1):
            if hit.id not in present:
                self._say(f"  no longer here: {hit.id} {hit.metadata['name']} (was {place})", "red")
        self._console.print()

    def rest(self, changes: int, gained: Mapping[Outcome, int], seconds: float) -> None:
        """What went by without a question."""
        self.story("The rest of the day")
        self._say(f"\n{changes} more changes in {seconds:.1f} s: {_listed(gained)}\n")

    def sums(self, sums: Sums) -> None:
        """What it came to, and where to go from here."""
        self.story("In all")
        self._console.print()
        self._pair("Rows", f"{sums.rows} of the snapshot, then {sums.changes} changes")
        self._pair(
            "Embedded",
            f"{sums.texts} texts; {sums.reused} changes kept their vector",
        )
        self._pair("Index", f"{sums.points} points, the same rows as the database")
        self._pair("Offsets", f"{sums.committed} committed, each after its write")
        self._pair("Time", f"{sums.seconds:.1f} s")
        self._say("\nNext", "bold")
        self._say("  vecsink run products.json     your own tables; the JSON above is the start")
        self._say("  vecsink pinecone-local        this index server, for your own programs")

    def stopped(self) -> None:
        """Somebody wanted the end."""
        self._say("Stopped; nothing is left behind.", "yellow")

    def _lines(self, total: int, began_s: float) -> Callable[[int], None]:
        shown = 0

        def advance(done: int) -> None:
            nonlocal shown
            part = done * _LINES // total
            if part > shown:
                shown = part
                self._say(line(done, total, time.monotonic() - began_s))

        return advance

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style))

    def _pair(self, name: str, text: str) -> None:
        self._console.print(Text.assemble((f"{name:<10}", "bold green"), text))


def _listed(gained: Mapping[Outcome, int]) -> str:
    return ", ".join(f"{gained[one]} {words}" for one, words in DONE.items() if gained.get(one))
