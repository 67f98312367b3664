"""What ``vecsink dlq`` does, in a world of fakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tests.pipeline.letterbox import DEAD
from worker.dlq import reading
from worker.letters.book import LetterBook
from worker.letters.standing import LetterId, LetterOrigin, LetterState
from worker.model import TopicPartition
from worker.state.memory import MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.pipeline.world import World
    from worker.dlq.port import Letter
    from worker.letters.standing import Standing
    from worker.source.memory_broker import MemoryBroker
    from worker.state.memory import MemoryLog


class Cluster(Protocol):
    """Where letters and their states are."""

    @property
    def broker(self) -> MemoryBroker: ...

    @property
    def state(self) -> MemoryLog: ...


@dataclass(frozen=True)
class Mail:
    """What commands see and ask for, each time anew."""

    world: Cluster

    @property
    def letters(self) -> dict[LetterId, Letter]:
        """What the dead-letter topic holds, in order."""
        found: dict[LetterId, Letter] = {}
        for partition in range(2):
            log = self.world.broker.log(TopicPartition(DEAD, partition))
            assert log is not None
            for record in log.read(0, 1_000_000):
                letter = reading.letter_of(record)
                assert letter is not None
                found[LetterId(record.topic_id, partition, record.offset)] = letter
        return found

    @property
    def open(self) -> list[LetterId]:
        """Those that nothing was done about, or nothing could be."""
        return [one for one in self.letters if self.book.standing(one).state is LetterState.OPEN]

    @property
    def book(self) -> LetterBook:
        return LetterBook(MemoryStateTopic(self.world.state))

    def ask(
        self,
        letters: Collection[LetterId] | None = None,
        *,
        run: str = "run",
        per_s: float | None = None,
        force: bool = False,
    ) -> None:
        """Ask for letters, by default for all that are open."""
        found = self.letters
        origins = {
            one: LetterOrigin(
                found[one].topic,
                found[one].topic_id,
                found[one].origin_partition,
                found[one].origin_offset,
            )
            for one in (self.open if letters is None else letters)
        }
        self.book.ask(origins, run, per_s=per_s, force=force)

    @property
    def standings(self) -> list[Standing]:
        """Of all letters, in order."""
        book = self.book
        return [book.standing(one) for one in self.letters]

    @property
    def states(self) -> list[str]:
        return [one.state.value for one in self.standings]


@dataclass(frozen=True)
class Command(Mail):
    """The same in a world that can be stepped."""

    world: World

    def wait(self) -> None:
        """Until all that is asked for is done."""
        self.world.until(lambda: not self.book.has_asked)

    def replay(self, letters: Collection[LetterId] | None = None, *, force: bool = False) -> None:
        """Ask and wait."""
        self.ask(letters, force=force)
        self.wait()
