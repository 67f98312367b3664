"""The metrics by name, unit and meaning.

Names are OpenTelemetry's where it has one for the thing: ``messaging.*``. Its token metric is a
histogram over calls, while these are sums that a bill can be compared with.
"""

from __future__ import annotations

from worker.telemetry import points
from worker.telemetry.instrument import Instrument, Kind

_COUNTER, _GAUGE = Kind.COUNTER, Kind.GAUGE

INSTRUMENTS = (
    Instrument(
        "messaging.client.consumed.messages", _COUNTER, "{message}", "Records received.",
        points.received,
    ),
    Instrument(
        "vecsink.records", _COUNTER, "{record}",
        "Records finished, by how they ended.",
        points.each("outcome", points.outcomes),
    ),
    Instrument(
        "vecsink.dead_letters", _COUNTER, "{record}",
        "Records that the dead-letter topic has, by kind of error.",
        points.each("kind", lambda one: dict(one.counters.dead_letters)),
    ),
    Instrument(
        "vecsink.dead_letters.open", _GAUGE, "{record}",
        "Dead letters that are neither replayed nor superseded nor discarded, over all pods.",
        points.open_letters,
    ),
    Instrument(
        "vecsink.replays", _COUNTER, "{record}",
        "Dead letters that were asked for, by what became of them.",
        points.each("state", lambda one: dict(one.counters.replays)),
    ),
    Instrument(
        "vecsink.metadata.dropped", _COUNTER, "{row}",
        "Rows written without a field of metadata, as the store takes no more, by field.",
        points.each("field", lambda one: dict(one.counters.dropped_metadata)),
    ),
    Instrument(
        "vecsink.batches", _COUNTER, "{batch}", "Batches that ended.",
        points.single(lambda one: one.counters.batches),
    ),
    Instrument(
        "vecsink.rebalances", _COUNTER, "{rebalance}", "Assignments with new partitions.",
        points.single(lambda one: one.counters.rebalances),
    ),
    Instrument(
        "vecsink.rows.buffered", _GAUGE, "{row}", "Rows in memory.",
        points.single(lambda one: one.buffered),
    ),
    Instrument(
        "vecsink.batches.in_flight", _GAUGE, "{batch}", "Batches under way.",
        points.single(lambda one: one.in_flight),
    ),
    Instrument(
        "vecsink.tasks", _GAUGE, "{task}", "Tasks of this process, by state.",
        points.each("state", lambda one: dict(one.tasks)),
    ),
    Instrument(
        "vecsink.consumer.lag", _GAUGE, "{record}",
        "Offsets that the whole group has not committed, by topic; every pod says the same.",
        points.each("messaging.destination.name", lambda one: one.lag),
    ),
    Instrument(
        "vecsink.consumer.lag_time", _GAUGE, "s",
        "Time since the end of the log was where the whole group stands now, by topic.",
        points.each("messaging.destination.name", lambda one: one.lag_s),
    ),
    Instrument(
        "vecsink.embedding.texts", _COUNTER, "{text}", "Texts embedded, by table.",
        points.by_table(lambda one: dict(one.counters.texts_by_table)),
    ),
    Instrument(
        "vecsink.embedding.tokens", _COUNTER, "{token}",
        "Tokens as the provider bills them, by table; an estimate where it does not say.",
        points.by_table(lambda one: dict(one.counters.tokens_by_table)),
    ),
    Instrument(
        "vecsink.embedding.estimated_tokens", _COUNTER, "{token}",
        "Those of the tokens that are an estimate.",
        points.by_model(lambda one: one.counters.bill.estimated),
    ),
    Instrument(
        "vecsink.embedding.cost", _COUNTER, "{USD}",
        "Dollars by the price of the settings, by table; nothing where no price is known.",
        points.by_table(points.usd_by_table),
    ),
    Instrument(
        "vecsink.embedding.calls", _COUNTER, "{call}", "Calls that were answered.",
        points.by_model(lambda one: one.counters.bill.requests),
    ),
    Instrument(
        "vecsink.embedding.truncated", _COUNTER, "{text}",
        "Texts of which only the beginning was embedded.",
        points.by_model(lambda one: one.counters.bill.truncated),
    ),
    Instrument(
        "vecsink.embedding.errors", _COUNTER, "{call}",
        "Calls that failed, by HTTP status or kind of silence.", points.failed_calls,
    ),
    Instrument(
        "vecsink.store.errors", _COUNTER, "{call}",
        "Calls of the store that failed, by HTTP status or kind of silence.",
        points.failed_store_calls,
    ),
    Instrument(
        "vecsink.provider.limited", _COUNTER, "{call}",
        "Calls of the account that were answered 429.", points.by_provider(lambda one: one.limited),
    ),
    Instrument(
        "vecsink.provider.outages", _COUNTER, "{outage}",
        "How often the provider ceased to answer.", points.by_provider(lambda one: one.opened),
    ),
    Instrument(
        "vecsink.provider.calls.in_flight", _GAUGE, "{call}", "Calls of the account under way.",
        points.by_provider(lambda one: one.in_flight),
    ),
    Instrument(
        "vecsink.provider.calls.waiting", _GAUGE, "{call}",
        "Calls that wait for the account's limits.", points.by_provider(lambda one: one.waiting),
    ),
    Instrument(
        "vecsink.provider.circuit", _GAUGE, "1",
        "1 for the state of the account: closed (calls go), limited (asked to wait), open (no "
        "answers).", points.circuit,
    ),
    Instrument(
        "vecsink.budget.used", _GAUGE, "1",
        "Part of the day's budget that is spent, over all pods.", points.budget_used,
    ),
    Instrument(
        "vecsink.budget.exhausted", _GAUGE, "1",
        "1 while rows wait for the budget's next day.", points.budget_spent,
    ),
)  # fmt: skip
"""All that are one number."""
