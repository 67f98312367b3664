"""Whether this worker may still write: it must have polled lately, or others own its partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.clock import Clock


class LeaseExpired(Exception):  # noqa: N818 - not a failure: the work comes again
    """The last poll is older than the session time-out; nothing may be written."""


class Lease:
    """The age of the last poll. Renewed by the task's thread, checked by those that write.

    A process that was frozen (a stopped container, a long pause of the machine) wakes up in the
    middle of a batch; by then the group may have given its partitions to another worker.
    """

    def __init__(self, clock: Clock, session_s: float) -> None:
        self._clock = clock
        self._session_s = session_s
        self._renewed_s = clock.now_s()

    def renew(self, polled_s: float) -> None:
        """A poll that began at this time has returned.

        Its beginning counts: a process that was frozen inside the poll learns only from the next
        one whether it still belongs to the group.
        """
        self._renewed_s = polled_s

    def check(self) -> None:
        """To be called right before a write.

        Raises:
            LeaseExpired: do not write.
        """
        if self._clock.now_s() - self._renewed_s > self._session_s:
            raise LeaseExpired
