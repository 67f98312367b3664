"""What ``vecsink estimate`` prints: a table for people, one object for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.table import Table

from worker.estimate.meter import ASCII_BYTES_PER_TOKEN, MOST_BYTES_PER_TOKEN
from worker.estimate.tally import Ending
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from worker.estimate.forecast import Forecast, Pace, Purse, Range
    from worker.estimate.found import Found

Shown: TypeAlias = "Callable[[float], str]"
"""How a number is written."""

_WORDS = {
    Ending.EMBED: "to embed",
    Ending.IN_INDEX: "in the index already",
    Ending.DELETED: "deleted",
    Ending.FILTERED: "not wanted in the index (document.when, or no text)",
    Ending.STALE: "older than the index",
    Ending.SUPERSEDED: "replaced by a newer change that waits with them",
    Ending.NOT_A_ROW: "no rows (heartbeats and the like)",
    Ending.FAILED: "cannot be read or rendered",
}
_MINUTES_PER_HOUR = 60


@immutable
class Estimate:
    """What there is to tell."""

    connector: str
    found: Found
    forecast: Forecast
    pace: Pace
    purse: Purse
    is_exact: bool
    """Whether tokens were counted by the model's tokenizer."""


def as_object(made: Estimate) -> dict[str, Any]:
    """The keys are stable; ranges are ``low``, ``expected``, ``high``."""
    found, result, price = made.found, made.forecast, made.purse.price
    return {
        "connector": made.connector,
        "sampled": found.plan.is_sample,
        "offsets": found.plan.offsets,
        "records_read": found.tally.records,
        "records": {ending.value: found.tally.endings[ending] for ending in Ending},
        "failures": dict(found.tally.failures),
        "texts": asdict(result.texts),
        "tokens": asdict(result.tokens),
        "tokens_counted": made.is_exact,
        "calls": asdict(result.calls),
        "usd": None if result.usd is None else asdict(result.usd),
        "usd_per_million_tokens": None if price is None else price.usd_per_million_tokens,
        "price_as_of": price.as_of or None if price is not None else None,
        "hours": None if result.hours is None else asdict(result.hours),
        "hours_limited_by": result.limited_by,
        "assumed_latency_s": made.pace.latency_s,
        "days_of_budget": None if result.days is None else asdict(result.days),
    }


def print_table(made: Estimate, console: Console) -> None:
    """Two small tables, and what the numbers rest on."""
    console.print(_title(made), style="bold", highlight=False, markup=False)
    console.print(_records(made))
    console.print(_costs(made))
    for line in _remarks(made):
        console.print(f"- {line}", highlight=False, markup=False)


def _title(made: Estimate) -> str:
    plan, read = made.found.plan, made.found.tally.records
    if plan.is_sample:
        return f"{made.connector}: about {plan.offsets:,} records to read; a sample of {read:,}"
    return f"{made.connector}: {read:,} records to read"


def _records(made: Estimate) -> Table:
    found = made.found
    table = Table("records", "")
    table.columns[0].justify = "right"
    for ending in Ending:
        count = found.tally.endings[ending]
        if count or ending is Ending.EMBED:
            table.add_row(f"{count:,}", _WORDS[ending] + _kinds(made, ending))
    return table


def _kinds(made: Estimate, ending: Ending) -> str:
    if ending is not Ending.FAILED:
        return ""
    return f": {', '.join(f'{n:,} {kind}' for kind, n in made.found.tally.failures.items())}"


def _costs(made: Estimate) -> Table:
    table = Table("", "expected", "at least", "at most")
    for column in table.columns[1:]:
        column.justify = "right"
    result = made.forecast
    _add(table, "texts to embed", result.texts, _whole)
    _add(table, "tokens", result.tokens, _whole)
    _add(table, "calls", result.calls, _whole)
    if result.usd is not None:
        _add(table, "USD", result.usd, _dollars)
    if result.hours is not None:
        _add(table, "time for embedding", result.hours, _time)
    if result.days is not None:
        _add(table, "days of the budget", result.days, lambda days: f"{days:,.2f}")
    return table


def _add(table: Table, name: str, numbers: Range, shown: Shown) -> None:
    table.add_row(name, shown(numbers.expected), shown(numbers.low), shown(numbers.high))


def _remarks(made: Estimate) -> Iterator[str]:
    found, result, price = made.found, made.forecast, made.purse.price
    yield (
        "At least: of a row that changes several times only the last text is embedded, and equal "
        "texts once. At most: every change by itself."
    )
    if made.is_exact:
        yield "Tokens are counted by the model's own tokenizer."
    else:
        yield (
            f"Tokens are estimated by the bytes of the texts: {MOST_BYTES_PER_TOKEN:g} bytes each "
            f"at least, {ASCII_BYTES_PER_TOKEN:g} of ASCII and "
            f"{made.pace.limits.bytes_per_token:g} of other letters expected, and at most one "
            "token for each byte, which is the safe bound."
        )
    if found.plan.is_sample:
        yield (
            f"Extrapolated from {found.plan.chosen:,} of {found.plan.offsets:,} offsets, taken at "
            "the beginning, middle and end of each partition; the range covers how these differ. "
            "Changes of a row that lie outside of the sample are not seen."
        )
    if price is None:
        yield "No price is known for this embedder, so there are tokens and no dollars."
    else:
        as_of = f", as of {price.as_of}" if price.as_of else ""
        yield f"${price.usd_per_million_tokens:g} per million tokens{as_of}."
    yield _pace(made)
    if result.days is not None:
        yield "Days are full days of the budget, of which nothing else is spent."


def _pace(made: Estimate) -> str:
    result, pace = made.forecast, made.pace
    if result.hours is None:
        return (
            "The time depends on this machine, as the model runs here; --latency-ms says how long "
            "a call takes."
        )
    if pace.latency_s is None:
        return f"The time is that of embedding alone; {result.limited_by} decides."
    return (
        f"The time is that of embedding alone, at an assumed {pace.latency_s:g} s for a call and "
        f"{pace.limits.in_flight} side by side; {result.limited_by} decides."
    )


def _whole(number: float) -> str:
    return f"{number:,.0f}"


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:,.6f}".rstrip("0").rstrip(".")


def _time(hours: float) -> str:
    if hours >= 1:
        return f"{hours:,.1f} h"
    minutes = hours * _MINUTES_PER_HOUR
    return f"{minutes:,.1f} min" if minutes >= 1 else f"{minutes * _MINUTES_PER_HOUR:,.1f} s"
