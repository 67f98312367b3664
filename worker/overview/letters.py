"""What the state topic says of dead letters: which of them somebody touched, and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from worker.letters.standing import PREFIX, LetterId, Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from worker.model import Record


class TouchedLetters:
    """Is handed the topic's records, in their order."""

    def __init__(self) -> None:
        self._touched: dict[LetterId, bool] = {}

    def take(self, found: Iterable[Record]) -> None:
        """More of the topic; what others keep there is passed over."""
        for record in found:
            key = (record.key or b"").decode(errors="replace")
            letter = LetterId.of_key(key) if key.startswith(PREFIX) else None
            if letter is None:
                continue
            if record.value is None:
                self._touched.pop(letter, None)
            else:
                self._touched[letter] = _is_closed(record.value)

    @property
    def all(self) -> Collection[tuple[LetterId, bool]]:
        """Each with whether it is closed."""
        return self._touched.items()


def _is_closed(value: bytes) -> bool:
    try:
        said = orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    standing = Standing.of_value(said) if isinstance(said, dict) else None
    return standing is not None and standing.state.is_closed
