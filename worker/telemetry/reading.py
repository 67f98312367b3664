"""What metrics show of a connector in this process: plain numbers, read when somebody asks."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.telemetry.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.telemetry.calls import Durations


@immutable
class ProviderReading:
    """The account that a connector calls; connectors of one account share its numbers."""

    provider: str
    model: str
    circuit: str
    """``closed``: calls go; ``limited``: asked to wait; ``open``: it does not answer."""
    waiting: int
    in_flight: int
    limited: int
    """Calls answered 429."""
    opened: int
    """How often it ceased to answer."""
    durations: Durations = field(default_factory=dict)
    """Of this connector's calls."""


@immutable
class StoreReading:
    """The store that a connector calls."""

    system: str
    durations: Durations = field(default_factory=dict)


@immutable
class BudgetReading:
    """Of the day, over all pods."""

    used: float
    """1 is all of the limit that is reached first."""
    is_spent: bool
    """Rows wait for the next day."""


@immutable
class Reading:
    """One connector."""

    connector: str
    group: str
    """Its consumer group."""
    counters: Counters = field(default_factory=Counters)
    tasks: Counter[str] = field(default_factory=Counter)
    """By state."""
    buffered: int = 0
    """Rows."""
    in_flight: int = 0
    """Batches."""
    lag: Mapping[str, int] = field(default_factory=dict)
    """Of the whole group, by topic; without a topic of which nobody knows."""
    open_letters: int | None = None
    """Dead letters that are neither replayed nor superseded nor discarded; None if nobody knows."""
    lag_s: Mapping[str, float] = field(default_factory=dict)
    """Of the same topics: the time since the oldest record that the group has not committed."""
    provider: ProviderReading | None = None
    """None until the model is loaded."""
    store: StoreReading | None = None
    """None until it is opened."""
    budget: BudgetReading | None = None
