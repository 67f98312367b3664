"""What a dataclass that nobody changes has in common with a frozen one."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from worker.immutable import immutable


@immutable
class Mine:
    name: str
    size: int = 3
    secret: str = field(default="s", repr=False)
    noted: str = field(default="", compare=False)
    listed: tuple[int, ...] = field(default=(), hash=False)


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    size: int = 3
    secret: str = field(default="s", repr=False)
    noted: str = field(default="", compare=False)
    listed: tuple[int, ...] = field(default=(), hash=False)


@immutable
class Twin:
    name: str
    size: int = 3
    secret: str = field(default="s", repr=False)
    noted: str = field(default="", compare=False)
    listed: tuple[int, ...] = field(default=(), hash=False)


@immutable(eq=False)
class ByIdentity:
    name: str


@immutable
class One:
    value: float


@immutable
class Nothing:
    pass


@immutable
class Speaking:
    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


@immutable
class Lenient:
    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lenient) and self.name.lower() == other.name.lower()

    def __hash__(self) -> int:
        return hash(self.name.lower())


GIVEN: tuple[tuple[Any, ...], ...] = (
    ("a",),
    ("a", 3, "s"),
    ("a", 3, "t"),
    ("a", 3, "s", "noted"),
    ("a", 3, "s", "", (1,)),
    ("b",),
)


@pytest.mark.parametrize("left", GIVEN)
@pytest.mark.parametrize("right", GIVEN)
def test_objects_are_equal_where_frozen_ones_are(
    left: tuple[Any, ...], right: tuple[Any, ...]
) -> None:
    assert (Mine(*left) == Mine(*right)) is (Frozen(*left) == Frozen(*right))
    assert (Mine(*left) != Mine(*right)) is (Frozen(*left) != Frozen(*right))
    if Mine(*left) == Mine(*right):
        assert hash(Mine(*left)) == hash(Mine(*right))


@pytest.mark.parametrize("given", GIVEN)
def test_they_look_the_same(given: tuple[Any, ...]) -> None:
    assert repr(Mine(*given)) == repr(Frozen(*given)).replace("Frozen", "Mine")


def test_a_field_without_hash_does_not_count_in_it() -> None:
    assert hash(Mine("a", listed=(1,))) == hash(Mine("a", listed=(2,)))


def test_another_class_is_another_thing() -> None:
    assert Mine("a") != Twin("a")  # type: ignore[comparison-overlap]
    assert Mine("a") != "a"  # type: ignore[comparison-overlap]
    assert Nothing() != One(1.0)  # type: ignore[comparison-overlap]
    assert len({Mine("a"), Twin("a"), Mine("a")}) == 2


def test_one_field_or_none_is_enough() -> None:
    assert One(1.0) == One(1.0)
    assert hash(One(1.0)) == hash(One(1.0))
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    not_a_number = float("nan")
    assert One(not_a_number) == One(not_a_number)


def test_without_equality_each_is_itself() -> None:
    one, other = ByIdentity("a"), ByIdentity("a")
    assert one != other
    assert len({one, other}) == 2
    assert repr(one) == "ByIdentity(name='a')"


def test_its_own_words_are_kept() -> None:
    assert repr(Speaking("a")) == "<a>"


def test_its_own_equality_is_kept() -> None:
    assert Lenient("a") == Lenient("A")
    assert hash(Lenient("a")) == hash(Lenient("A"))


def test_it_has_slots_and_can_be_replaced_copied_and_pickled() -> None:
    mine = Mine("a", 1)
    assert not hasattr(mine, "__dict__")
    assert replace(mine, size=2) == Mine("a", 2)
    assert copy.deepcopy(mine) == pickle.loads(pickle.dumps(mine)) == mine
    assert [one.name for one in fields(Mine)] == ["name", "size", "secret", "noted", "listed"]
