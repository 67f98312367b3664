"""The metrics by name, unit and meaning, and what each of them shows of a connector.

Names are OpenTelemetry's where it has one for the thing: ``messaging.*``, and the attributes
``gen_ai.*``, ``messaging.*`` and ``error.type``. Its token metric is a histogram over calls, while
these are sums that a bill can be compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from worker.model import Outcome
from worker.telemetry.calls import failed

if TYPE_CHECKING:
    from worker.telemetry.calls import Kind as CallKind
    from worker.telemetry.reading import ProviderReading, Reading

Attributes: TypeAlias = Mapping[str, str]
Points: TypeAlias = Iterator[tuple[float, Attributes]]

CIRCUITS = ("closed", "limited", "open")


class Kind(Enum):
    """How a number moves."""

    COUNTER = "counter"
    """It only grows, from 0 at the start of the process."""
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A metric."""

    name: str
    kind: Kind
    unit: str
    """As in UCUM; what stands in braces is a word for what is counted."""
    meaning: str
    points: Callable[[Reading], Points]


def of_connector(reading: Reading) -> dict[str, str]:
    """What every number of a connector carries."""
    return {"connector": reading.connector}


def _one(number: Callable[[Reading], float]) -> Callable[[Reading], Points]:
    def points(reading: Reading) -> Points:
        yield number(reading), of_connector(reading)

    return points


def _each(
    label: str, numbers: Callable[[Reading], Mapping[str, float]]
) -> Callable[[Reading], Points]:
    def points(reading: Reading) -> Points:
        for name, number in numbers(reading).items():
            yield number, {**of_connector(reading), label: name}

    return points


def _outcomes(reading: Reading) -> dict[str, float]:
    """All of them, so that the first record of a kind is a growth."""
    return {outcome.value: reading.counters.outcomes[outcome] for outcome in Outcome}


def _received(reading: Reading) -> Points:
    names = {
        "messaging.system": "kafka",
        "messaging.operation.name": "poll",
        "messaging.consumer.group.name": reading.group,
    }
    yield reading.counters.records, {**of_connector(reading), **names}


def _by_table(
    numbers: Callable[[Reading], Mapping[str, float]],
) -> Callable[[Reading], Points]:
    def points(reading: Reading) -> Points:
        for table, number in numbers(reading).items():
            yield number, {**of_model(reading), "table": table}

    return points


def _of_model(number: Callable[[Reading], float]) -> Callable[[Reading], Points]:
    def points(reading: Reading) -> Points:
        yield number(reading), of_model(reading)

    return points


def _of_provider(number: Callable[[ProviderReading], float]) -> Callable[[Reading], Points]:
    def points(reading: Reading) -> Points:
        if reading.provider is not None:
            yield number(reading.provider), of_model(reading)

    return points


def _failed(reading: Reading) -> Points:
    if reading.provider is not None:
        for error, number in failed(reading.provider.durations).items():
            yield number, {**of_model(reading), "error.type": error}


def _store_failed(reading: Reading) -> Points:
    if reading.store is not None:
        for kind, spread in reading.store.durations.items():
            if kind.error:
                yield spread.count, {**of_connector(reading), **of_call(kind, "db.operation.name")}


def of_call(kind: CallKind, operation: str) -> dict[str, str]:
    """Answered calls have no ``error.type``, by the convention."""
    names = {operation: kind.operation}
    return {**names, "error.type": kind.error} if kind.error else names


def _circuit(reading: Reading) -> Points:
    if reading.provider is not None:
        for state in CIRCUITS:
            is_it = reading.provider.circuit == state
            yield float(is_it), {**of_model(reading), "state": state}


def _budget_used(reading: Reading) -> Points:
    if reading.budget is not None:
        yield reading.budget.used, of_connector(reading)


def _budget_spent(reading: Reading) -> Points:
    if reading.budget is not None:
        yield float(reading.budget.is_spent), of_connector(reading)


def _open_letters(reading: Reading) -> Points:
    if reading.open_letters is not None:
        yield reading.open_letters, of_connector(reading)


def of_model(reading: Reading) -> dict[str, str]:
    """Of a connector and its model, once that is loaded."""
    provider = reading.provider
    if provider is None:
        return of_connector(reading)
    names = {"gen_ai.provider.name": provider.provider, "gen_ai.request.model": provider.model}
    return {**of_connector(reading), **names}


def _usd_by_table(reading: Reading) -> dict[str, float]:
    """One price holds as long as a process runs, so dollars are divided as tokens are."""
    bill, tokens = reading.counters.bill, reading.counters.tokens_by_table
    if not bill.usd:
        return {}
    return {table: bill.usd * count / bill.tokens for table, count in dict(tokens).items()}


_COUNTER, _GAUGE = Kind.COUNTER, Kind.GAUGE

INSTRUMENTS = (
    Instrument(
        "messaging.client.consumed.messages", _COUNTER, "{message}", "Records received.", _received
    ),
    Instrument(
        "vecsink.records", _COUNTER, "{record}",
        "Records finished, by how they ended.",
        _each("outcome", _outcomes),
    ),
    Instrument(
        "vecsink.dead_letters", _COUNTER, "{record}",
        "Records that the dead-letter topic has, by kind of error.",
        _each("kind", lambda one: dict(one.counters.dead_letters)),
    ),
    Instrument(
        "vecsink.dead_letters.open", _GAUGE, "{record}",
        "Dead letters that are neither replayed nor superseded nor discarded, over all pods.",
        _open_letters,
    ),
    Instrument(
        "vecsink.replays", _COUNTER, "{record}",
        "Dead letters that were asked for, by what became of them.",
        _each("state", lambda one: dict(one.counters.replays)),
    ),
    Instrument(
        "vecsink.metadata.dropped", _COUNTER, "{row}",
        "Rows written without a field of metadata, as the store takes no more, by field.",
        _each("field", lambda one: dict(one.counters.dropped_metadata)),
    ),
    Instrument(
        "vecsink.batches", _COUNTER, "{batch}", "Batches that ended.",
        _one(lambda one: one.counters.batches),
    ),
    Instrument(
        "vecsink.rebalances", _COUNTER, "{rebalance}", "Assignments with new partitions.",
        _one(lambda one: one.counters.rebalances),
    ),
    Instrument(
        "vecsink.rows.buffered", _GAUGE, "{row}", "Rows in memory.", _one(lambda one: one.buffered)
    ),
    Instrument(
        "vecsink.batches.in_flight", _GAUGE, "{batch}", "Batches under way.",
        _one(lambda one: one.in_flight),
    ),
    Instrument(
        "vecsink.tasks", _GAUGE, "{task}", "Tasks of this process, by state.",
        _each("state", lambda one: dict(one.tasks)),
    ),
    Instrument(
        "vecsink.consumer.lag", _GAUGE, "{record}",
        "Offsets that the whole group has not committed, by topic; every pod says the same.",
        _each("messaging.destination.name", lambda one: one.lag),
    ),
    Instrument(
        "vecsink.consumer.lag_time", _GAUGE, "s",
        "Time since the end of the log was where the whole group stands now, by topic.",
        _each("messaging.destination.name", lambda one: one.lag_s),
    ),
    Instrument(
        "vecsink.embedding.texts", _COUNTER, "{text}", "Texts embedded, by table.",
        _by_table(lambda one: dict(one.counters.texts_by_table)),
    ),
    Instrument(
        "vecsink.embedding.tokens", _COUNTER, "{token}",
        "Tokens as the provider bills them, by table.",
        _by_table(lambda one: dict(one.counters.tokens_by_table)),
    ),
    Instrument(
        "vecsink.embedding.cost", _COUNTER, "{USD}",
        "Dollars by the price of the settings, by table; nothing where no price is known.",
        _by_table(_usd_by_table),
    ),
    Instrument(
        "vecsink.embedding.calls", _COUNTER, "{call}", "Calls that were answered.",
        _of_model(lambda one: one.counters.bill.requests),
    ),
    Instrument(
        "vecsink.embedding.truncated", _COUNTER, "{text}",
        "Texts of which only the beginning was embedded.",
        _of_model(lambda one: one.counters.bill.truncated),
    ),
    Instrument(
        "vecsink.embedding.errors", _COUNTER, "{call}",
        "Calls that failed, by HTTP status or kind of silence.", _failed,
    ),
    Instrument(
        "vecsink.store.errors", _COUNTER, "{call}",
        "Calls of the store that failed, by HTTP status or kind of silence.", _store_failed,
    ),
    Instrument(
        "vecsink.provider.limited", _COUNTER, "{call}",
        "Calls of the account that were answered 429.", _of_provider(lambda one: one.limited),
    ),
    Instrument(
        "vecsink.provider.outages", _COUNTER, "{outage}",
        "How often the provider ceased to answer.", _of_provider(lambda one: one.opened),
    ),
    Instrument(
        "vecsink.provider.calls.in_flight", _GAUGE, "{call}", "Calls of the account under way.",
        _of_provider(lambda one: one.in_flight),
    ),
    Instrument(
        "vecsink.provider.calls.waiting", _GAUGE, "{call}",
        "Calls that wait for the account's limits.", _of_provider(lambda one: one.waiting),
    ),
    Instrument(
        "vecsink.provider.circuit", _GAUGE, "1",
        "1 for the state of the account: closed (calls go), limited (asked to wait), open (no "
        "answers).", _circuit,
    ),
    Instrument(
        "vecsink.budget.used", _GAUGE, "1",
        "Part of the day's budget that is spent, over all pods.", _budget_used,
    ),
    Instrument(
        "vecsink.budget.exhausted", _GAUGE, "1",
        "1 while rows wait for the budget's next day.", _budget_spent,
    ),
)  # fmt: skip
"""All that are one number."""
