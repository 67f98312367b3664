"""What the pods of a group tell each other: small keyed records in one total order.

The newest record of a key is kept for good; older ones of the same key may disappear at any time.
So a reader that must judge every record alike on all pods gives each of them a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

Value: TypeAlias = Mapping[str, Any]
"""What JSON can hold."""

Reader: TypeAlias = Callable[[int, str, Value | None], None]
"""Gets (offset, key, value); the value None says that the key is gone. Returns quickly, raises
nothing and does not call the topic."""


class StateTopic(Protocol):
    """A totally ordered log, the same for all pods of a group. Thread-safe."""

    def append(self, key: str, value: Value | None) -> int:
        """Add a record and wait until the broker has it for good; None deletes the key.

        Returns:
            Its offset.

        Raises:
            RetriableError: the brokers are away. The record may be there all the same, or come
                later, but before anything that is appended or posted here from now on.
            FatalError: it cannot be written at all (permission, size).
        """
        ...

    def post(self, key: str, value: Value | None) -> None:
        """Add a record without waiting: it follows what was added here before.

        An outage delays it; it is lost with the process, or by a close that cannot wait so long.

        Raises:
            RetriableError: too many records wait already.
            FatalError: as for ``append``, also for a record posted before.
        """
        ...

    def read_up_to(self, offset: int, timeout_s: float) -> None:
        """Wait until the readers have had everything up to this offset, including it.

        Raises:
            RetriableError: they had not within ``timeout_s``.
            FatalError: the topic cannot be read.
        """
        ...

    def attach(self, prefix: str, reader: Reader) -> None:
        """Hand a reader the records whose keys begin so: from the topic's beginning, then live.

        In the order of the log, each record once, from one thread at a time.
        """
        ...

    def caught_up(self, timeout_s: float) -> bool:
        """Whether the readers have once been at the topic's end; waits up to ``timeout_s`` for it.

        Raises:
            FatalError: the topic cannot be read.
        """
        ...

    def close(self, timeout_s: float) -> None:
        """Wait up to ``timeout_s`` for what was posted; readers get nothing any more."""
        ...
