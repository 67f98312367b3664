"""Keys whose change cannot be done for now, and how much of something scarce each waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.model import Key


class Parked(dict["Key", int]):
    """What each key needs, in the order in which they came. Filled by the backlog alone."""

    @property
    def least_needed(self) -> int:
        """What the smallest of them waits for; 0 if nothing is parked."""
        return min(self.values(), default=0)

    def first_needed(self, left: float) -> int:
        """What the first waits for that ``left`` covers; 0 if there is none."""
        return next((needs for needs in self.values() if needs <= left), 0)

    def covered(self, left: float, room: float) -> list[Key]:
        """Those that ``left`` covers, in order, as far as there is room.

        Who is too large for what is left is passed over; who is too large for the room is not.
        """
        keys: list[Key] = []
        for key, needs in self.items():
            if needs > left:
                continue
            if needs > room:
                break
            left, room = left - needs, room - needs
            keys.append(key)
        return keys
