"""What the state topic says of dead letters: which of them are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from worker.letters.counting import held_of
from worker.letters.standing import PREFIX, LetterId, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.model import Record, TopicPartition
    from worker.source.port import Span


class ClosedLetters:
    """Is handed the topic's records, in their order."""

    def __init__(self) -> None:
        self._closed: set[LetterId] = set()

    def take(self, found: Iterable[Record]) -> None:
        """More of the topic; what others keep there is passed over."""
        for record in found:
            key = (record.key or b"").decode(errors="replace")
            letter = LetterId.of_key(key) if key.startswith(PREFIX) else None
            if letter is None:
                continue
            if _is_closed(record.value):
                self._closed.add(letter)
            else:
                self._closed.discard(letter)

    def count(self, topic_id: str, bounds: Mapping[TopicPartition, Span]) -> int:
        """Those that the dead-letter topic of this id still holds."""
        return held_of(self._closed, topic_id, bounds)


def _is_closed(value: bytes | None) -> bool:
    try:
        said = orjson.loads(value or b"null")
    except orjson.JSONDecodeError:
        return False
    standing = Standing.of_value(said) if isinstance(said, dict) else None
    return standing is not None and standing.state.is_closed
