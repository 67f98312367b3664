"""The numbers of a connector with their attributes, as metrics take them from a reading.

Attributes are OpenTelemetry's where it has one for the thing: ``gen_ai.*``, ``messaging.*`` and
``error.type``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import Outcome
from worker.telemetry.calls import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.telemetry.calls import Kind as CallKind
    from worker.telemetry.instrument import Points
    from worker.telemetry.reading import ProviderReading, Reading

CIRCUITS = ("closed", "limited", "open")


def of_connector(reading: Reading) -> dict[str, str]:
    """What every number of a connector carries."""
    return {"connector": reading.connector}


def single(number: Callable[[Reading], float]) -> Callable[[Reading], Points]:
    """The connector's own number."""

    def points(reading: Reading) -> Points:
        yield number(reading), of_connector(reading)

    return points


def each(
    label: str, numbers: Callable[[Reading], Mapping[str, float]]
) -> Callable[[Reading], Points]:
    """One number for each value of an attribute."""

    def points(reading: Reading) -> Points:
        for name, number in numbers(reading).items():
            yield number, {**of_connector(reading), label: name}

    return points


def outcomes(reading: Reading) -> dict[str, float]:
    """All of them, so that the first record of a kind is a growth."""
    return {outcome.value: reading.counters.outcomes[outcome] for outcome in Outcome}


def received(reading: Reading) -> Points:
    """Records, as messaging clients count them."""
    names = {
        "messaging.system": "kafka",
        "messaging.operation.name": "poll",
        "messaging.consumer.group.name": reading.group,
    }
    yield reading.counters.records, {**of_connector(reading), **names}


def by_table(
    numbers: Callable[[Reading], Mapping[str, float]],
) -> Callable[[Reading], Points]:
    """One number per table, with the model that it is of."""

    def points(reading: Reading) -> Points:
        for table, number in numbers(reading).items():
            yield number, {**of_model(reading), "table": table}

    return points


def by_model(number: Callable[[Reading], float]) -> Callable[[Reading], Points]:
    """The number of a connector and its model."""

    def points(reading: Reading) -> Points:
        yield number(reading), of_model(reading)

    return points


def by_provider(number: Callable[[ProviderReading], float]) -> Callable[[Reading], Points]:
    """What is known of the account, once the model is loaded."""

    def points(reading: Reading) -> Points:
        if reading.provider is not None:
            yield number(reading.provider), of_model(reading)

    return points


def failed_calls(reading: Reading) -> Points:
    """Of the provider, by ``error.type``."""
    if reading.provider is not None:
        for error, number in failed(reading.provider.durations).items():
            yield number, {**of_model(reading), "error.type": error}


def failed_store_calls(reading: Reading) -> Points:
    """Of the store, by operation and ``error.type``."""
    if reading.store is not None:
        for kind, spread in reading.store.durations.items():
            if kind.error:
                yield spread.count, {**of_connector(reading), **of_call(kind, "db.operation.name")}


def of_call(kind: CallKind, operation: str) -> dict[str, str]:
    """Answered calls have no ``error.type``, by the convention."""
    names = {operation: kind.operation}
    return {**names, "error.type": kind.error} if kind.error else names


def circuit(reading: Reading) -> Points:
    """1 for the state that it is in."""
    if reading.provider is not None:
        for state in CIRCUITS:
            is_it = reading.provider.circuit == state
            yield float(is_it), {**of_model(reading), "state": state}


def budget_used(reading: Reading) -> Points:
    """Nothing where there is no budget."""
    if reading.budget is not None:
        yield reading.budget.used, of_connector(reading)


def budget_spent(reading: Reading) -> Points:
    """1 or 0; nothing where there is no budget."""
    if reading.budget is not None:
        yield float(reading.budget.is_spent), of_connector(reading)


def open_letters(reading: Reading) -> Points:
    """Nothing as long as they were not counted."""
    if reading.open_letters is not None:
        yield reading.open_letters, of_connector(reading)


def of_model(reading: Reading) -> dict[str, str]:
    """Of a connector and its model, once that is loaded."""
    provider = reading.provider
    if provider is None:
        return of_connector(reading)
    names = {"gen_ai.provider.name": provider.provider, "gen_ai.request.model": provider.model}
    return {**of_connector(reading), **names}


def usd_by_table(reading: Reading) -> dict[str, float]:
    """One price holds as long as a process runs, so dollars are divided as tokens are."""
    bill, tokens = reading.counters.bill, reading.counters.tokens_by_table
    if not bill.usd:
        return {}
    return {table: bill.usd * count / bill.tokens for table, count in dict(tokens).items()}
