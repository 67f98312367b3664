"""A wait for other partitions: what it says while it lasts, and when it has come to nothing.

Nobody has to wait for ever by design, as each waits for older records than its own. But a partition
may belong to a task that has failed, and a mistake here must not end in a worker that stands still
without a word: the order of a few rows is the smaller loss.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from worker.pipeline.naming import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Record, TopicPartition
    from worker.pipeline.heads import Head

_log = logging.getLogger(__name__)

_SAY_AFTER_S = 10.0
_SAY_EVERY_S = 30.0
_IN_VAIN_S = 600.0
"""Without any commit of those that are waited for; much longer than second looks and key changes
hold commits, and than outages mostly last."""
_BETWEEN_LOOKS_S = 5.0
"""At most so much of the time between two looks counts: in an outage of Kafka nobody looks."""


class Wait:
    """Of one record, with all that came after it in its partition.

    What was written by keys of other schemas was written by others, so the store has to show it.
    """

    def __init__(
        self, record: Record, schema: str, now_s: float, settle_s: float, *, is_change: bool
    ) -> None:
        """Begin it.

        Args:
            record: what waits.
            schema: of its key.
            now_s: by the task's clock.
            settle_s: longest time until a write is visible.
            is_change: whether the record before is known to have a key of another schema.
        """
        self._record = record
        self._schema = schema
        self._settle_s = settle_s
        self._shown_s = math.inf if is_change else now_s
        """When the store shows what was written by keys of other schemas."""
        self._over_s = math.inf
        self._began_s = self._looked_s = now_s
        self._say_s = -math.inf
        self._stood_still_s = 0.0
        self._heads: Mapping[TopicPartition, Head] = {}

    def look(self, heads: Mapping[TopicPartition, Head], now_s: float) -> None:
        """What is waited for stands there now; nothing, if all is done."""
        seen_s = min(now_s - self._looked_s, _BETWEEN_LOOKS_S)
        stands_still = heads == self._heads
        self._stood_still_s = self._stood_still_s + seen_s if stands_still else 0.0
        self._heads, self._looked_s = heads, now_s
        if any(head.schema != self._schema for head in heads.values()):
            self._shown_s = math.inf
        elif self._shown_s == math.inf:
            self._shown_s = now_s + self._settle_s
        if not heads:
            self._over_s = max(now_s, self._shown_s)
        elif self._stood_still_s >= _IN_VAIN_S:
            self._give_up()
            self._over_s = now_s
        elif now_s >= self._say_s:
            self._say(now_s)

    @property
    def has_ended(self) -> bool:
        """Whether nothing is waited for any more, except that it shows."""
        return self._over_s < math.inf

    def is_over(self, now_s: float) -> bool:
        """Whether the record may be taken in."""
        return now_s >= self._over_s

    def _say(self, now_s: float) -> None:
        if self._say_s < 0:
            self._say_s = now_s + _SAY_AFTER_S
            _log.info(
                "%s: its keys have another schema from here on, which brings rows to other "
                "partitions. It goes on when everything older is committed in %s.",
                self._name,
                names(self._heads),
            )
            return
        self._say_s = now_s + _SAY_EVERY_S
        _log.warning(
            "%s has waited for %.0f s at offset %d, where its keys have another schema. It goes on "
            "when what is older is committed: %s.",
            self._name,
            now_s - self._began_s,
            self._record.offset,
            self._places,
        )

    def _give_up(self) -> None:
        _log.warning(
            "%s goes on at offset %d: in the partitions that it waits for nothing was committed "
            "for %.0f s (%s). Rows that were written under both schemas of their keys may be left "
            "in the index as they were before. To have them put right, set the group back to the "
            "start of the topic once those partitions are being read.",
            self._name,
            self._record.offset,
            self._stood_still_s,
            self._places,
        )

    @property
    def _name(self) -> str:
        return f"{self._record.topic}[{self._record.partition}]"

    @property
    def _places(self) -> str:
        return ", ".join(
            f"{names([place])} from offset {head.offset} on"
            for place, head in sorted(self._heads.items())
        )
