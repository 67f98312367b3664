"""What somebody wants of a connector, and what it takes to run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from worker.immutable import immutable
from worker.runtime.port import TargetState

if TYPE_CHECKING:
    from worker.runtime.crew import Parts
    from worker.runtime.slots import Slots

NEVER = -1
"""A restart that nobody asked for."""


@immutable
class Wanted:
    """What somebody wants of a connector."""

    values: Mapping[str, str]
    """Its config as written."""
    origin: str
    """Where that came from, for messages."""
    target: TargetState = TargetState.RUNNING
    restarts: Mapping[int, int] = field(default_factory=dict)
    """The newest request to restart a task; a higher number is a newer one."""
    reread: int = NEVER
    """The newest request to read the config again if it could not be used."""


@immutable
class Blueprint:
    """A connector whose config is valid."""

    assemble: Callable[[], Parts]
    """Raises WorkerError."""
    open_slots: Callable[[], Slots]
    lease: object
    """What the slots depend on: they stay open as long as it is equal."""
    tasks_max: int
    """Tasks of all workers together."""


Draw: TypeAlias = Callable[[Mapping[str, str], str], Blueprint]
"""A config and its origin to a blueprint; raises ConfigError with all that is wrong with it."""
