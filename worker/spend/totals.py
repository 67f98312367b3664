"""What was spent, by day and table: one small record per pod and day in the state topic.

    totals/2026-11-26/<pod>    {"tokens": 310, "cost": 37200000, "requests": 1,
                                "tables": {"shop.public.products": [310, 96]}}

It is written once in a while, so that ``kill -9`` takes up to a minute of it. What a budget rests
on is counted in ``worker.spend.ledger``.
"""

from __future__ import annotations

import threading
from collections import Counter
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


class _Sum:
    """Totals of one page, or of several."""

    def __init__(self) -> None:
        self.tokens = self.cost = self.requests = 0
        self.tokens_of: Counter[str] = Counter()
        self.inputs_of: Counter[str] = Counter()

    def add(self, bill: Bill, price: int) -> None:
        self.tokens += bill.tokens
        self.cost += bill.tokens * price
        self.requests += bill.requests
        self.inputs_of.update(bill.inputs)
        self.tokens_of.update(shares(bill.tokens, bill.inputs))

    def add_sum(self, other: _Sum) -> None:
        self.tokens += other.tokens
        self.cost += other.cost
        self.requests += other.requests
        self.inputs_of.update(other.inputs_of)
        self.tokens_of.update(other.tokens_of)

    @property
    def value(self) -> Value:
        tables = {
            table: [self.tokens_of[table], inputs] for table, inputs in self.inputs_of.items()
        }
        sums = {"tokens": self.tokens, "cost": self.cost, "requests": self.requests}
        return {**sums, "tables": tables}

    @classmethod
    def of(cls, value: Value) -> _Sum:
        made = cls()
        made.tokens, made.cost = int(value["tokens"]), int(value["cost"])
        made.requests = int(value["requests"])
        for table, (tokens, inputs) in value["tables"].items():
            made.tokens_of[table], made.inputs_of[table] = int(tokens), int(inputs)
        return made


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
            tokens=whole.tokens,
            usd=None if self._price is None else whole.cost / PICODOLLARS,
            inputs=whole.inputs_of.total(),
            requests=whole.requests,
            tables={
                table: TableSpend(whole.tokens_of[table], inputs)
                for table, inputs in whole.inputs_of.items()
            },
        )


def shares(tokens: int, inputs: Mapping[str, int]) -> dict[str, int]:
    """Tokens divided in proportion to the inputs, in whole numbers that add up."""
    return dict(_shares(tokens, inputs))


def _shares(tokens: int, inputs: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    total, so_far, given = sum(inputs.values()), 0, 0
    for table, count in inputs.items():
        so_far += count
        due = tokens * so_far // max(1, total)
        yield table, due - given
        given = due


def _page_of(key: str) -> _Page | None:
    day, _, pod = key.removeprefix(PREFIX).partition("/")
    try:
        return _Page(date.fromisoformat(day), pod)
    except ValueError:
        return None
