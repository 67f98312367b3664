"""What a metric is: a name, and the numbers that it has of a connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.telemetry.reading import Reading

Attributes: TypeAlias = Mapping[str, str]
Points: TypeAlias = Iterator[tuple[float, Attributes]]


class Kind(Enum):
    """How a number moves."""

    COUNTER = "counter"
    """It only grows, from 0 at the start of the process."""
    GAUGE = "gauge"


@immutable
class Instrument:
    """A metric."""

    name: str
    kind: Kind
    unit: str
    """As in UCUM; what stands in braces is a word for what is counted."""
    meaning: str
    points: Callable[[Reading], Points]
