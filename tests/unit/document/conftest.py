"""Changes as a decoder would make them, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from worker.model import Change, Key, ModelId, Op, Origin, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = ModelId("fake", "words", 8)


class MakeChange(Protocol):
    """A change with everything but the interesting part filled in."""

    def __call__(
        self,
        after: Mapping[str, Any] | None = None,
        *,
        key: tuple[tuple[str, Any], ...] = (("id", 42),),
        op: Op = Op.UPDATE,
        topic: str = "shop.public.products",
        origin: Origin | None = None,
        unavailable: frozenset[str] = frozenset(),
    ) -> Change: ...


@pytest.fixture
def model() -> ModelId:
    return MODEL


@pytest.fixture
def make_change() -> MakeChange:
    def made(
        after: Mapping[str, Any] | None = None,
        *,
        key: tuple[tuple[str, Any], ...] = (("id", 42),),
        op: Op = Op.UPDATE,
        topic: str = "shop.public.products",
        origin: Origin | None = None,
        unavailable: frozenset[str] = frozenset(),
    ) -> Change:
        prefix, _, table = topic.rpartition(".")
        named = Origin("postgresql", "shop", prefix.rpartition(".")[2], table, 1_700_000_000_000, 7)
        return Change(
            record=Record(topic, 0, 5, b"k", b"v", topic_id="T"),
            key=Key(topic, key),
            op=op,
            after=after or {},
            origin=named if origin is None else origin,
            unavailable=unavailable,
        )

    return made
