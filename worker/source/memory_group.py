"""Who reads which partition: a consumer group that rebalances cooperatively, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import TopicPartition
    from worker.source.port import Commit


class MemoryGroup:
    """Members, what each owns, and the committed offsets. The same calls give the same result.

    A partition is first given up by its owner, at a poll of that owner, and only then gets a new
    one: nobody else reads it in between.
    """

    def __init__(self) -> None:
        self._members: list[object] = []
        self._owners: dict[TopicPartition, object] = {}
        self.committed: dict[TopicPartition, Commit] = {}

    def join(self, member: object) -> None:
        """A new member, last in line."""
        if member not in self._members:
            self._members.append(member)

    def leave(self, member: object) -> None:
        """It is gone, and what it owned is free."""
        if member in self._members:
            self._members.remove(member)
        for place in self.owned(member):
            del self._owners[place]

    def is_member(self, member: object) -> bool:
        """Whether it has joined and was not expelled."""
        return member in self._members

    def owned(self, member: object) -> list[TopicPartition]:
        """What it owns now."""
        return sorted(place for place, owner in self._owners.items() if owner is member)

    def release(self, places: Sequence[TopicPartition]) -> None:
        """The owner has given them up."""
        for place in places:
            self._owners.pop(place, None)

    def to_revoke(self, member: object, places: Sequence[TopicPartition]) -> list[TopicPartition]:
        """What it owns and has to give up; ``places`` are all partitions that exist."""
        target = self._target(places)
        return [place for place in self.owned(member) if target.get(place) is not member]

    def take_free(self, member: object, places: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Make it the owner of what is meant for it and free."""
        taken = [
            place
            for place, owner in self._target(places).items()
            if owner is member and place not in self._owners
        ]
        self._owners.update(dict.fromkeys(taken, member))
        return taken

    def _target(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, object]:
        """An even share for everybody; nobody gives up more than the share demands."""
        if not self._members:
            return {}
        share, left_over = divmod(len(places), len(self._members))
        target: dict[TopicPartition, object] = {}
        room: dict[int, int] = {}
        for index, member in enumerate(self._by_holdings()):
            room[id(member)] = share + (1 if index < left_over else 0)
            kept = [place for place in self.owned(member) if place in places]
            for place in kept[: room[id(member)]]:
                target[place] = member
                room[id(member)] -= 1
        for place in places:
            if place not in target:
                member = next(one for one in self._members if room[id(one)] > 0)
                target[place] = member
                room[id(member)] -= 1
        return dict(sorted(target.items()))

    def _by_holdings(self) -> list[object]:
        """Who owns most comes first, and so keeps what an even share leaves over."""
        return sorted(self._members, key=lambda member: -len(self.owned(member)))
