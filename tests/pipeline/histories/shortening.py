"""A history that failed, made short.

Hypothesis shrinks what it drew, which takes minutes where each try takes milliseconds. A history is
data, so it is quicker to leave out events, and to make those that stay simpler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.pipeline.histories.history import Event, History, Setting

D = TypeVar("D", bound="Event | Setting")


def shortest(history: History, fails: Callable[[History], bool]) -> History:
    """As short as it gets by leaving out and simplifying one thing after the other."""
    while True:
        shorter = _simpler(_fewer(history, fails), fails)
        if shorter == history:
            return history
        history = shorter


def written(history: History) -> str:
    """As code."""
    lines = "".join(f"        {event!r},\n" for event in history.events)
    return f"History(\n    {history.setting!r},\n    (\n{lines}    ),\n)"


def _fewer(history: History, fails: Callable[[History], bool]) -> History:
    size = max(1, len(history.events) // 2)
    while size:
        at = 0
        while at < len(history.events):
            rest = history.events[:at] + history.events[at + size :]
            shorter = replace(history, events=rest)
            if fails(shorter):
                history = shorter
            else:
                at += size
        size //= 2
    return history


def _simpler(history: History, fails: Callable[[History], bool]) -> History:
    for setting in _settings(history.setting):
        if fails(replace(history, setting=setting)):
            return replace(history, setting=setting)
    for at, event in enumerate(history.events):
        for other in _variants(event):
            events = (*history.events[:at], other, *history.events[at + 1 :])
            if fails(replace(history, events=events)):
                return replace(history, events=events)
    return history


def _settings(setting: Setting) -> Iterator[Setting]:
    """On the same kind of store."""
    for other in _variants(setting):
        if other.guarded is setting.guarded and min(other.partitions, other.rows, other.in_flight):
            yield other


def _variants(thing: D) -> Iterator[D]:
    """The same with one value less."""
    for one in fields(thing):
        for value in _less(getattr(thing, one.name)):
            yield replace(thing, **{one.name: value})


def _less(value: Any) -> Sequence[Any]:
    if isinstance(value, bool):
        return [False] if value else []
    if isinstance(value, int):
        return range(value)
    if isinstance(value, Enum):
        members = list(type(value))
        return members[: members.index(value)]
    if isinstance(value, Mapping):
        return [{name: value[name] for name in value if name != left_out} for left_out in value]
    return []
