"""What the console needs to know beside what the herder says, and who does what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.console.history import Sample
    from worker.console.room import Room
    from worker.overview.standing import Standing
    from worker.telemetry.reading import Reading


@immutable
class Since:
    """How long a connector's state has been what it is."""

    at_ms: int
    """Unix time."""
    is_exact: bool
    """False where it was so already when somebody first looked."""


@immutable
class Seen:
    """One connector."""

    standing: Standing | None = None
    """Of the whole cluster, as Kafka tells; None until it was asked."""
    standing_ms: int | None = None
    """When that was."""
    rows_per_s: float | None = None
    """Of the whole cluster, by what the group commits."""
    problem: str = ""
    """Why there is no standing, or no newer one."""
    reading: Reading | None = None
    """Of this pod alone; None where none of its tasks was here."""
    samples: Sequence[Sample] = ()
    """The last hour."""
    since: Since | None = None


class Watcher(Protocol):
    """Looks at all connectors, in threads of its own."""

    @property
    def pod(self) -> str:
        """This one, as statuses name it."""
        ...

    def seen(self, connector: str) -> Seen:
        """What is known by now. Waits for nothing; tells that somebody looks."""
        ...

    def letters(self, connector: str) -> Room:
        """Its dead letters.

        Raises:
            NotFoundError: there is no such connector.
            BadRequestError: it has no dead-letter topic, or its config cannot be used.
        """
        ...
