"""The states of all dead letters, and what is asked for.

A command asks; whoever owns the partition that a letter came from replays it and settles it. Both
meet in the letter's one record, so that a request outlives them, and two at once are one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.letters.standing import PREFIX, UNTOUCHED, LetterId, LetterState, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.letters.standing import LetterOrigin
    from worker.model import TopicPartition
    from worker.state.port import StateTopic, Value

_NOW = f"{PREFIX}now"
"""Written to learn where the log's end is."""
_READ_TIMEOUT_S = 10.0


class LetterBook:
    """Reads and writes them. Thread-safe.

    What was written here counts at once, until the log says what became of it.
    """

    def __init__(
        self, topic: StateTopic, now_ms: Callable[[], float] = lambda: time.time() * 1000
    ) -> None:
        """``now_ms`` is Unix time."""
        self._topic = topic
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._logged: dict[LetterId, Standing] = {}
        """What the log says, the same for all pods."""
        self._standings: dict[LetterId, Standing] = {}
        """The same, with what was written here and not read back."""
        self._asked: defaultdict[TopicPartition, dict[LetterId, Standing]] = defaultdict(dict)
        self._unsent: dict[LetterId, Standing | None] = {}
        self._unread: Counter[LetterId] = Counter()
        self._late: set[LetterId] = set()
        """The log's last word on them is a question that came too late."""
        self._sending = threading.Lock()
        self.version = 0
        """Changes whenever a letter's state does."""
        topic.attach(PREFIX, self._read)

    def standing(self, letter: LetterId) -> Standing:
        """What is known of a letter. Never waits."""
        return self._standings.get(letter, UNTOUCHED)

    def standings(self) -> Mapping[LetterId, Standing]:
        """Of all letters that were ever touched. Never waits."""
        with self._lock:
            return dict(self._standings)

    def asked(self, origin: TopicPartition) -> Mapping[LetterId, Standing]:
        """What is to be replayed of a partition, in the order of asking. Never waits."""
        with self._lock:
            return dict(self._asked[origin]) if origin in self._asked else {}

    def count_asked(self, origins: Iterable[TopicPartition] | None = None) -> int:
        """How much is to be replayed of these partitions, or in all. Never waits."""
        with self._lock:
            places = list(self._asked) if origins is None else origins
            return sum(len(self._asked.get(place, ())) for place in places)

    @property
    def has_asked(self) -> bool:
        """Whether anything is to be replayed at all. Never waits."""
        return bool(self._asked)

    def ask(
        self,
        letters: Mapping[LetterId, LetterOrigin],
        run: str,
        *,
        per_s: float | None = None,
        force: bool = False,
    ) -> None:
        """Have letters replayed, and wait until that is written.

        What is closed already stays closed, unless ``force`` says otherwise. May be called again
        with the same letters.

        Args:
            letters: with where they came from.
            run: names this replay.
            per_s: how many of all these letters may be released in a second.
            force: those in quarantine and closed ones, too.

        Raises:
            RetriableError: the brokers are away; to be called again.
            FatalError: they refuse it.
        """
        places = {origin.place for origin in letters.values()}
        share = None if per_s is None else per_s / max(1, len(places))
        for letter, origin in letters.items():
            if force or not self.standing(letter).state.is_closed:
                asked = Standing(
                    LetterState.ASKED,
                    at_ms=int(self._now_ms()),
                    run=run,
                    origin=origin,
                    per_s=share,
                    force=force,
                )
                self._put(letter, asked)
        self.keep()
        self.sync()
        self._restore(letters)

    def _restore(self, letters: Iterable[LetterId]) -> None:
        """Letters that were closed while they were asked for: the log's last word is to say so."""
        closed = {one: self.standing(one) for one in letters if self.standing(one).state.is_closed}
        for letter, standing in closed.items():
            self._put(letter, standing)
        if closed:
            self.keep()

    def settle(self, letter: LetterId, state: LetterState, note: str = "") -> None:
        """Something became of a letter. Known here at once and posted; ``keep`` waits for it.

        Raises:
            FatalError: the state topic refuses it.
        """
        self._put(letter, self.standing(letter).turned(state, note, int(self._now_ms())))
        self.flush()

    def forget(self, letters: Iterable[LetterId]) -> None:
        """These are not in the dead-letter topic any more. As ``settle``."""
        for letter in letters:
            self._put(letter, None)
        self.flush()

    def flush(self) -> None:
        """Post what could not be posted so far. Never waits.

        Raises:
            FatalError: the state topic refuses it.
        """
        if not self._unsent:
            return
        try:
            self._send()
        except RetriableError:
            return  # goes with what is sent next

    def keep(self) -> None:
        """Wait until all that was settled here is written for good.

        Raises:
            RetriableError: the brokers are away; to be called again.
            FatalError: they refuse it.
        """
        self._send()
        self._topic.append(_NOW, {})

    def sync(self) -> None:
        """Wait until all that anybody has written so far is read.

        A question that came too late is answered again, as compaction would leave nothing else.

        Raises:
            RetriableError, FatalError: as ``keep``, or it cannot be read.
        """
        offset = self._topic.append(_NOW, {})
        self._topic.read_up_to(offset, _READ_TIMEOUT_S)
        with self._lock:
            late = list(self._late)
        self._restore(late)

    def _put(self, letter: LetterId, standing: Standing | None) -> None:
        with self._lock:
            self._unsent[letter] = standing
            self._show(letter, standing)

    def _send(self) -> None:
        with self._sending:
            with self._lock:
                unsent, self._unsent = self._unsent, {}
                self._unread.update(unsent.keys())
            try:
                for letter, standing in list(unsent.items()):
                    self._topic.post(letter.key, None if standing is None else standing.value)
                    del unsent[letter]
            finally:
                self._put_back(unsent)

    def _put_back(self, unsent: Mapping[LetterId, Standing | None]) -> None:
        with self._lock:
            self._unsent = {**unsent, **self._unsent}
            for letter in unsent:
                self._count_down(letter)

    def _read(self, _offset: int, text: str, value: Value | None) -> None:
        letter = LetterId.of_key(text)
        standing = None if value is None else Standing.of_value(value)
        if letter is None or (standing is None and value is not None):
            return
        with self._lock:
            self._take(letter, standing)
            if letter in self._unread:
                self._count_down(letter)
            if letter not in self._unread and letter not in self._unsent:
                self._show(letter, self._logged.get(letter))

    def _take(self, letter: LetterId, standing: Standing | None) -> None:
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
