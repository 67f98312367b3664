"""What is known of letters: what the log says, and what was written here and not read back yet."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from worker.letters.standing import UNTOUCHED, LetterState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from worker.letters.standing import LetterId, Standing
    from worker.model import TopicPartition


class Shelf:
    """Holds the letters that were ever touched; nothing here waits. Thread-safe.

    What was written here counts at once, until the log says what became of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logged: dict[LetterId, Standing] = {}
        """What the log says, the same for all pods."""
        self._standings: dict[LetterId, Standing] = {}
        """The same, with what was written here and not read back."""
        self._asked: defaultdict[TopicPartition, dict[LetterId, Standing]] = defaultdict(dict)
        self._unsent: dict[LetterId, Standing | None] = {}
        self._unread: Counter[LetterId] = Counter()
        self._late: set[LetterId] = set()
        self.version = 0
        """Changes whenever a letter's state does."""

    def standing(self, letter: LetterId) -> Standing:
        """Of one letter."""
        return self._standings.get(letter, UNTOUCHED)

    def standings(self) -> dict[LetterId, Standing]:
        """Of all."""
        with self._lock:
            return dict(self._standings)

    def asked(self, origin: TopicPartition) -> Mapping[LetterId, Standing]:
        """What is to be replayed of a partition, in the order of asking."""
        with self._lock:
            return dict(self._asked[origin]) if origin in self._asked else {}

    def count_asked(self, origins: Iterable[TopicPartition] | None) -> int:
        """How much is to be replayed of these partitions, or in all."""
        with self._lock:
            places = list(self._asked) if origins is None else origins
            return sum(len(self._asked.get(place, ())) for place in places)

    @property
    def has_asked(self) -> bool:
        """Whether anything is to be replayed at all."""
        return bool(self._asked)

    @property
    def late(self) -> Collection[LetterId]:
        """The log's last word on these is a question that came when they were closed already."""
        with self._lock:
            return list(self._late)

    @property
    def has_unsent(self) -> bool:
        """Whether something that was put here is still to be sent."""
        return bool(self._unsent)

    def put(self, letter: LetterId, standing: Standing | None) -> None:
        """It is so from now on, and is to be sent; None: the letter is to be forgotten."""
        with self._lock:
            self._unsent[letter] = standing
            self._show(letter, standing)

    def take_unsent(self) -> dict[LetterId, Standing | None]:
        """What is to be sent now; what is not goes back by ``put_back``."""
        with self._lock:
            unsent, self._unsent = self._unsent, {}
            self._unread.update(unsent.keys())
            return unsent

    def put_back(self, unsent: Mapping[LetterId, Standing | None]) -> None:
        """These were not sent."""
        with self._lock:
            self._unsent = {**unsent, **self._unsent}
            for letter in unsent:
                self._count_down(letter)

    def read(self, letter: LetterId, standing: Standing | None) -> None:
        """The log's next record of a letter; None: it is forgotten."""
        with self._lock:
            self._log(letter, standing)
            if letter in self._unread:
                self._count_down(letter)
            if letter not in self._unread and letter not in self._unsent:
                self._show(letter, self._logged.get(letter))

    def _log(self, letter: LetterId, standing: Standing | None) -> None:
        self._late.discard(letter)
        if standing is None:
            self._logged.pop(letter, None)
        elif _is_late(standing, self._logged.get(letter, UNTOUCHED)):
            self._late.add(letter)
        else:
            self._logged[letter] = standing

    def _show(self, letter: LetterId, standing: Standing | None) -> None:
        self._drop_asked(letter)
        if standing is None:
            self._standings.pop(letter, None)
        else:
            self._standings[letter] = standing
            if standing.state is LetterState.ASKED and standing.origin is not None:
                self._asked[standing.origin.place][letter] = standing
        self.version += 1

    def _drop_asked(self, letter: LetterId) -> None:
        before = self._standings.get(letter)
        if before is None or before.origin is None:
            return
        asked = self._asked.get(before.origin.place)
        if asked is None:
            return
        asked.pop(letter, None)
        if not asked:
            del self._asked[before.origin.place]

    def _count_down(self, letter: LetterId) -> None:
        self._unread[letter] -= 1
        if not self._unread[letter]:
            del self._unread[letter]


def _is_late(standing: Standing, known: Standing) -> bool:
    """Whether somebody asked who did not know that the letter is closed."""
    return standing.state is LetterState.ASKED and not standing.force and known.state.is_closed
