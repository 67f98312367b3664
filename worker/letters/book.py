"""The states of all dead letters, and what is asked for.

A command asks; whoever owns the partition that a letter came from replays it and settles it. Both
meet in the letter's one record, so that a request outlives them, and two at once are one.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.errors import RetriableError
from worker.letters.delays import Delays
from worker.letters.shelf import Shelf
from worker.letters.standing import PREFIX, LetterId, LetterState, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.letters.standing import LetterOrigin
    from worker.model import TopicPartition
    from worker.state.port import StateTopic, Value

_NOW = f"{PREFIX}now"
"""Written to learn where the log's end is."""
_READ_TIMEOUT_S = 10.0


class LetterBook:
    """Reads and writes them. Thread-safe."""

    def __init__(
        self, topic: StateTopic, now_ms: Callable[[], float] = lambda: time.time() * 1000
    ) -> None:
        """``now_ms`` is Unix time."""
        self._topic = topic
        self._now_ms = now_ms
        self._shelf = Shelf()
        self._sending = threading.Lock()
        self.delays = Delays(topic)
        topic.attach(PREFIX, self._read)

    @property
    def version(self) -> int:
        """Changes whenever a letter's state does."""
        return self._shelf.version

    def standing(self, letter: LetterId) -> Standing:
        """What is known of a letter. Never waits."""
        return self._explained(self._shelf.standing(letter))

    def standings(self) -> Mapping[LetterId, Standing]:
        """Of all letters that were ever touched. Never waits."""
        standings = self._shelf.standings()
        return {letter: self._explained(standing) for letter, standing in standings.items()}

    def asked(self, origin: TopicPartition) -> Mapping[LetterId, Standing]:
        """What is to be replayed of a partition, in the order of asking. Never waits."""
        return self._shelf.asked(origin)

    def count_asked(self, origins: Iterable[TopicPartition] | None = None) -> int:
        """How much is to be replayed of these partitions, or in all. Never waits."""
        return self._shelf.count_asked(origins)

    @property
    def has_asked(self) -> bool:
        """Whether anything is to be replayed at all. Never waits."""
        return self._shelf.has_asked

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
                self._shelf.put(letter, asked)
        self.keep()
        self.sync()
        self._restore(letters)

    def _restore(self, letters: Iterable[LetterId]) -> None:
        """Letters that were closed while they were asked for: the log's last word is to say so."""
        closed = {one: self.standing(one) for one in letters if self.standing(one).state.is_closed}
        for letter, standing in closed.items():
            self._shelf.put(letter, standing)
        if closed:
            self.keep()

    def settle(self, letter: LetterId, state: LetterState, note: str = "") -> None:
        """Something became of a letter. Known here at once and posted; ``keep`` waits for it.

        Raises:
            FatalError: the state topic refuses it.
        """
        self._shelf.put(letter, self.standing(letter).turned(state, note, int(self._now_ms())))
        self.flush()

    def forget(self, letters: Iterable[LetterId]) -> None:
        """These are not in the dead-letter topic any more. As ``settle``."""
        for letter in letters:
            self._shelf.put(letter, None)
        self.flush()

    def flush(self) -> None:
        """Post what could not be posted so far. Never waits.

        Raises:
            FatalError: the state topic refuses it.
        """
        if not self._shelf.has_unsent:
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
        self._restore(self._shelf.late)

    def _send(self) -> None:
        with self._sending:
            unsent = self._shelf.take_unsent()
            try:
                for letter, standing in list(unsent.items()):
                    self._topic.post(letter.key, None if standing is None else standing.value)
                    del unsent[letter]
            finally:
                self._shelf.put_back(unsent)

    def _read(self, _offset: int, text: str, value: Value | None) -> None:
        letter = LetterId.of_key(text)
        standing = None if value is None else Standing.of_value(value)
        if letter is not None and (standing is not None or value is None):
            self._shelf.read(letter, standing)

    def _explained(self, standing: Standing) -> Standing:
        """Of what is asked for the note says why it waits."""
        if standing.state is not LetterState.ASKED or standing.origin is None:
            return standing
        why = self.delays.why(standing.origin.place)
        return replace(standing, note=why) if why else standing
