"""What ``vecsink dlq`` does, in a world of fakes."""

from __future__ import annotations

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


class Mail:
    """What a command that runs all the time sees and asks for."""

    def __init__(self, cluster: Cluster) -> None:
        self._broker = cluster.broker
        self.book = LetterBook(MemoryStateTopic(cluster.state))
        self._read: dict[LetterId, Letter] = {}
        self._next = [0, 0]

    @property
    def letters(self) -> dict[LetterId, Letter]:
        """What the dead-letter topic holds, in order."""
        for partition in range(len(self._next)):
            log = self._broker.log(TopicPartition(DEAD, partition))
            assert log is not None
            for record in log.read(self._next[partition], 1_000_000):
                letter = reading.letter_of(record)
                assert letter is not None
                self._read[LetterId(record.topic_id, partition, record.offset)] = letter
                self._next[partition] = record.offset + 1
        return self._read

    @property
    def open(self) -> list[LetterId]:
        """Those that nothing was done about, or nothing could be."""
        return [one for one in self.letters if self.book.standing(one).state is LetterState.OPEN]

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

    def places(self, states: Collection[LetterState]) -> set[tuple[int, int]]:
        """Partition and offset where letters came from of which one is in such a state."""
        book = self.book
        return {
            (letter.origin_partition, letter.origin_offset)
            for one, letter in self.letters.items()
            if book.standing(one).state in states
        }


class Command(Mail):
    """The same in a world that can be stepped."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._world = world

    def wait(self) -> None:
        """Until all that is asked for is done."""
        self._world.until(lambda: not self.book.has_asked)

    def replay(self, letters: Collection[LetterId] | None = None, *, force: bool = False) -> None:
        """Ask and wait."""
        self.ask(letters, force=force)
        self.wait()
