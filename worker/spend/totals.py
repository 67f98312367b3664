"""What was spent, by day and table: one small record per pod and day in the state topic.

    totals/2026-11-26/<pod>    {"tokens": 310, "cost": 37200000, "requests": 1,
                                "tables": {"products": [310, 37200000, 1, 96]}}

By table: tokens, picodollars, calls with texts of it, texts. The record is written once in a while,
so that ``kill -9`` takes up to a minute of it. What a budget rests on is counted in
``worker.spend.ledger``.
"""

from __future__ import annotations

import threading
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from worker.spend.amount import PICODOLLARS
from worker.spend.port import Spent, TableSpend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from worker.spend.reservation import Bill
    from worker.state.port import Value

PREFIX = "totals/"


class _Page(NamedTuple):
    """Whose totals of which day."""

    day: date
    pod: str

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.day.isoformat()}/{self.pod}"


class _Line(NamedTuple):
    """What is added up."""

    tokens: int = 0
    cost: int = 0
    """In picodollars."""
    requests: int = 0
    inputs: int = 0

    def __add__(self, other: _Line) -> _Line:  # type: ignore[override]  # no concatenation
        return _Line(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))


class _Sum:
    """Totals of one page, or of several."""

    def __init__(self) -> None:
        self.whole = _Line()
        self.tables: dict[str, _Line] = {}

    def add(self, bill: Bill, price: int) -> None:
        self.whole += _Line(bill.tokens, bill.tokens * price, bill.requests)
        tokens_of = shares(bill.tokens, {table: one.size for table, one in bill.parts.items()})
        for table, part in bill.parts.items():
            tokens = tokens_of[table]
            self._add_to(table, _Line(tokens, tokens * price, bill.requests, part.inputs))

    def add_sum(self, other: _Sum) -> None:
        self.whole += other.whole
        for table, line in other.tables.items():
            self._add_to(table, line)

    @property
    def inputs(self) -> int:
        return sum(line.inputs for line in self.tables.values())

    @property
    def value(self) -> Value:
        whole = self.whole
        sums = {"tokens": whole.tokens, "cost": whole.cost, "requests": whole.requests}
        return {**sums, "tables": {table: [*line] for table, line in self.tables.items()}}

    @classmethod
    def of(cls, value: Value) -> _Sum:
        made = cls()
        made.whole = _Line(int(value["tokens"]), int(value["cost"]), int(value["requests"]))
        for table, (tokens, cost, requests, inputs) in value["tables"].items():
            made.tables[table] = _Line(int(tokens), int(cost), int(requests), int(inputs))
        return made

    def _add_to(self, table: str, line: _Line) -> None:
        self.tables[table] = self.tables.get(table, _Line()) + line


class Totals:
    """Those of all pods, of which one is ours. Thread-safe."""

    def __init__(self, pod: str, price: int | None) -> None:
        self._pod = pod
        self._price = price
        self._lock = threading.Lock()
        self._pages: dict[_Page, _Sum] = {}
        self._changed: set[_Page] = set()

    def book(self, day: date, bill: Bill) -> None:
        """Add to our page of the day."""
        page = _Page(day, self._pod)
        with self._lock:
            self._pages.setdefault(page, _Sum()).add(bill, self._price or 0)
            self._changed.add(page)

    def read(self, _offset: int, key: str, value: Value | None) -> None:
        """A page as another pod wrote it; a reader of the state topic."""
        page = _page_of(key)
        if page is None or page.pod == self._pod:
            return
        with self._lock:
            if value is None:
                self._pages.pop(page, None)
                return
            try:
                self._pages[page] = _Sum.of(value)
            except (KeyError, TypeError, ValueError, AttributeError):
                return  # of a version that writes it otherwise

    def changed(self) -> dict[str, Value]:
        """Our pages that were not written since they changed; they count as written now."""
        with self._lock:
            pages, self._changed = self._changed, set()
            return {page.key: self._pages[page].value for page in pages}

    def again(self, keys: Iterable[str]) -> None:
        """These could not be written."""
        with self._lock:
            self._changed.update(page for key in keys if (page := _page_of(key)) in self._pages)

    def older_than(self, day: date) -> list[str]:
        """The keys of pages of days before this one; they are forgotten."""
        with self._lock:
            old = [page for page in self._pages if page.day < day]
            for page in old:
                del self._pages[page]
            self._changed.difference_update(old)
            return [page.key for page in old]

    def spent(self, day: date) -> Spent:
        """All pages of a day together."""
        whole = _Sum()
        with self._lock:
            for page, one in self._pages.items():
                if page.day == day:
                    whole.add_sum(one)
        return Spent(
            day=day,
            tokens=whole.whole.tokens,
            usd=self._usd(whole.whole),
            inputs=whole.inputs,
            requests=whole.whole.requests,
            tables={
                table: TableSpend(line.tokens, line.inputs, line.requests, self._usd(line))
                for table, line in whole.tables.items()
            },
        )

    def _usd(self, line: _Line) -> float | None:
        return None if self._price is None else line.cost / PICODOLLARS


def shares(tokens: int, sizes: Mapping[str, int]) -> dict[str, int]:
    """Tokens divided in proportion to sizes, in whole numbers that add up."""
    return dict(_shares(tokens, sizes))


def _shares(tokens: int, sizes: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    total, so_far, given = sum(sizes.values()), 0, 0
    for table, size in sizes.items():
        so_far += size
        due = tokens * so_far // max(1, total)
        yield table, due - given
        given = due


def _page_of(key: str) -> _Page | None:
    day, _, pod = key.removeprefix(PREFIX).partition("/")
    try:
        return _Page(date.fromisoformat(day), pod)
    except ValueError:
        return None
