"""Dead letters of one partition on their way back into the backlog."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.throttle.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from worker.flow.ledger import PartitionLedger
    from worker.letters.standing import LetterId, Standing
    from worker.model import Key, TopicPartition
    from worker.pipeline.candidate import Candidate
    from worker.pipeline.letters import Opened


@dataclass(slots=True, eq=False)
class Job:
    """During one assignment. Belongs to the task's thread, while nothing is read for it."""

    ledger: PartitionLedger
    asked: Mapping[LetterId, Standing]
    opened: Opened | None = None
    """What was read of them."""
    scanned_to: int | None = None
    """What came before this offset is scanned; the watch has the rest."""
    is_ready: bool = False
    """Whether all is read that is needed."""
    _waiting: defaultdict[str, deque[list[Candidate]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    """By run, those of each row together, in the order of their offsets."""
    _paces: dict[str, Pace] = field(default_factory=dict)

    @property
    def place(self) -> TopicPartition:
        """Its partition."""
        return self.ledger.partition

    @property
    def candidates(self) -> Sequence[Candidate]:
        """Letters that may be written."""
        return [] if self.opened is None else self.opened.candidates

    @property
    def keys(self) -> Collection[Key]:
        """Their rows."""
        return {one.key for one in self.candidates if one.key is not None}

    @property
    def is_over(self) -> bool:
        """Whether all of them were released."""
        return self.is_ready and not self._waiting

    def line_up(self, now_s: float) -> None:
        """All is read. Letters of one row go together, as one may be a part of another."""
        rows: defaultdict[object, list[Candidate]] = defaultdict(list)
        for candidate in sorted(self.candidates, key=lambda one: one.offset):
            rows[id(candidate) if candidate.key is None else candidate.key].append(candidate)
        for bundle in rows.values():
            self._wait(bundle, bundle[0].run, bundle[0].per_s, now_s)
        self.is_ready = True

    def hear(self, asked: Mapping[LetterId, Standing], now_s: float) -> None:
        """What waits may have been asked for again meanwhile, by a run of another pace."""
        runs = {standing.run for standing in asked.values()}
        if not self.is_ready or runs <= self._waiting.keys():
            return
        waiting, self._waiting = self._waiting, defaultdict(deque)
        for run, bundles in waiting.items():
            for bundle in bundles:
                standing = asked.get(bundle[0].id)
                if standing is None:
                    self._waiting[run].append(bundle)
                else:
                    self._wait(bundle, standing.run, standing.per_s, now_s)

    def _wait(self, bundle: list[Candidate], run: str, per_s: float | None, now_s: float) -> None:
        self._waiting[run].append(bundle)
        if run not in self._paces:
            self._paces[run] = Pace(now_s, per_s or math.inf)

    def release(self, room: int, now_s: float) -> Iterator[list[Candidate]]:
        """Rows whose time has come, until about so many letters have gone."""
        for run, bundles in list(self._waiting.items()):
            pace = self._paces[run]
            while bundles and room > 0 and not pace.wait_s(0, now_s):
                bundle = bundles.popleft()
                pace.take(len(bundle), now_s)
                room -= len(bundle)
                yield bundle
            if not bundles:
                del self._waiting[run]
