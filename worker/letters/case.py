"""A dead letter with what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.document.place import place_in_name
from worker.immutable import immutable
from worker.letters.standing import UNTOUCHED, LetterId, LetterOrigin, LetterState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.dlq.port import Letter
    from worker.letters.standing import Standing
    from worker.model import Record


@immutable
class Case:
    """What the letter says of itself, and what the state topic says of it."""

    id: LetterId
    letter: Letter
    standing: Standing
    max_replays: int
    """From so many on it is in quarantine."""

    @property
    def state(self) -> LetterState:
        """See ``LetterState.QUARANTINED``."""
        state = self.standing.state
        is_worn = self.letter.replays >= self.max_replays
        return LetterState.QUARANTINED if state is LetterState.OPEN and is_worn else state

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done."""
        return not self.state.is_closed

    @property
    def is_over(self) -> bool:
        """Whether its failure says nothing of the index any more."""
        return self.state in (LetterState.REPLAYED, LetterState.SUPERSEDED)

    @property
    def table(self) -> str:
        """As the record says it, else as its topic's name does, else the topic."""
        place = place_in_name(self.letter.topic)
        named = ".".join(part for part in (place.schema, place.table) if part)
        return self.letter.table or named or self.letter.topic

    @property
    def origin(self) -> LetterOrigin:
        """Where the record stood that failed."""
        letter = self.letter
        return LetterOrigin(
            letter.topic, letter.topic_id, letter.origin_partition, letter.origin_offset
        )


@immutable
class Filing:
    """Makes cases of records."""

    told: Callable[[Record], Letter | None]
    """What a record of the dead-letter topic says of itself."""
    standings: Callable[[], Mapping[LetterId, Standing]]
    """What became of letters, as of now."""
    max_replays: int

    def case(self, record: Record, standings: Mapping[LetterId, Standing]) -> Case | None:
        """The case of a record of the dead-letter topic; None if it says nothing of a failure."""
        letter = self.told(record)
        if letter is None:
            return None
        name = LetterId(record.topic_id, record.partition, record.offset)
        return Case(name, letter, standings.get(name, UNTOUCHED), self.max_replays)
