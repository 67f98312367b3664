"""The stories of the demo: a question, and the changes that give it another answer."""

from __future__ import annotations

from worker.immutable import immutable


@immutable
class Story:
    """Consecutive changes of the recording, seen through one question."""

    title: str
    question: str
    records: slice
    """Which of the recording's changes belong to it, tombstones included."""


STORIES = (
    Story(
        "A row is inserted",
        "stay dry on the bike in heavy rain",
        slice(0, 1),
    ),
    Story(
        "A price changes, a text changes",
        "headphones that block the noise on a plane",
        slice(1, 3),
    ),
    Story(
        "A row is deleted while others change",
        "a tent for snow and winter storms",
        slice(3, 9),
    ),
)

THE_REST = slice(9, None)
"""What else happened in the shop that day."""
