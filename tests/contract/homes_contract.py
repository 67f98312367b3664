"""What every home of connector configs promises; its own test file brings the hand that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.contract.state_contract import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.homes.port import Home, Stored

ONE = {"name": "one", "topics": "a", "store.api.key": "${env:KEY}"}
TWO = {"name": "two", "topics": "b", "tasks.max": "2"}


class Place(Protocol):
    """A home from outside: what people do with it, and pods that look at it."""

    def pod(self) -> Home:
        """Another worker's view of the same home."""
        ...

    def put(self, values: Mapping[str, str]) -> None:
        """Somebody adds or changes a connector."""
        ...

    def remove(self, name: str) -> None:
        """Somebody removes one."""
        ...


def found(home: Home) -> dict[str, Stored]:
    home.look()
    return dict(home.stored())


def configs(home: Home) -> dict[str, Mapping[str, str]]:
    return {name: stored.values for name, stored in found(home).items()}


def sees(home: Home, *expected: Mapping[str, str]) -> Callable[[], bool]:
    return lambda: configs(home) == {values["name"]: values for values in expected}


class HomeContract:
    """Fixture ``place``."""

    def test_what_is_put_is_seen_as_it_was_written(self, place: Place) -> None:
        home = place.pod()
        eventually(sees(home))
        place.put(ONE)
        place.put(TWO)
        eventually(sees(home, ONE, TWO))
        assert all(stored.origin and not stored.problem for stored in found(home).values())

    def test_changed_and_removed_ones_are_noticed(self, place: Place) -> None:
        home = place.pod()
        place.put(ONE)
        place.put(TWO)
        eventually(sees(home, ONE, TWO))
        changed = {**ONE, "topics": "c"}
        place.put(changed)
        eventually(sees(home, changed, TWO))
        place.remove("two")
        eventually(sees(home, changed))
        place.put(TWO)
        eventually(sees(home, changed, TWO))

    def test_every_pod_sees_the_same_and_a_new_one_what_was_there_before(
        self, place: Place
    ) -> None:
        first, second = place.pod(), place.pod()
        place.put(ONE)
        eventually(sees(first, ONE))
        eventually(sees(second, ONE))
        eventually(sees(place.pod(), ONE))

    def test_what_was_handed_out_does_not_change_afterwards(self, place: Place) -> None:
        home = place.pod()
        place.put(ONE)
        eventually(sees(home, ONE))
        before = home.stored()
        place.remove("one")
        eventually(sees(home))
        assert before["one"].values == ONE
