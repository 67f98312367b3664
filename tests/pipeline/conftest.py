"""Worlds that end with their test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.pipeline.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator


class Worlds(Protocol):
    def __call__(self, **more: Any) -> World: ...


@pytest.fixture
def make_world() -> Iterator[Worlds]:
    """A factory of worlds."""
    made: list[World] = []

    def make(**more: Any) -> World:
        made.append(World(**more))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture(params=[True, False], ids=["guarded", "unguarded"])
def world(request: pytest.FixtureRequest, make_world: Worlds) -> World:
    """A usual world, once on each kind of store."""
    return make_world(guarded=request.param)
