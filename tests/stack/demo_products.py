"""The demo's shop: two hundred products and what happens to them, the same at every run."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, product
from typing import TYPE_CHECKING, Final

from tests.stack.demo_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.demo_kinds import Feature, Kind

TABLE: Final = """
CREATE TABLE products (
  id integer PRIMARY KEY,
  name text NOT NULL,
  category text NOT NULL,
  description text NOT NULL,
  price numeric(10,2) NOT NULL,
  in_stock boolean NOT NULL,
  tags text[] NOT NULL,
  attributes jsonb NOT NULL,
  updated_at timestamptz NOT NULL
)
"""
SERIES: Final = (
    "Alder", "Brook", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Heron", "Isle", "Juniper",
)  # fmt: skip
PRICE_FACTORS: Final = (100, 115, 90, 130, 105, 85, 120, 95, 140, 110)
"""Percent of a kind's price, one per variant."""


@dataclass(frozen=True, slots=True)
class Product:
    """A row of the table, without ``updated_at``."""

    id: int
    name: str
    category: str
    description: str
    price: Decimal
    in_stock: bool
    tags: tuple[str, ...]
    attributes: dict[str, object]


def products() -> list[Product]:
    """Ten variants of each kind, with ids from 1."""
    variants = (variant for kind in KINDS for variant in _variants(kind))
    return [_product(number, variant) for number, variant in enumerate(variants, start=1)]


def _variants(kind: Kind) -> Iterator[tuple[int, Kind, str, Feature, Feature]]:
    """The number of the variant, and which sentences it is made of."""
    choices = product(combinations(kind.features, 2), kind.openings)
    for number, ((first, second), opening) in enumerate(choices):
        if number < len(SERIES):
            yield number, kind, opening, first, second


def _product(product_id: int, variant: tuple[int, Kind, str, Feature, Feature]) -> Product:
    number, kind, opening, first, second = variant
    cents = kind.price * PRICE_FACTORS[number] - 10
    name, values = kind.attribute
    return Product(
        id=product_id,
        name=f"{SERIES[number]} {first.word} {kind.noun}",
        category=kind.category,
        description=f"{opening} {first.sentence} {second.sentence} {kind.closing}",
        price=Decimal(cents) / 100,
        in_stock=product_id % 7 != 0,
        tags=(first.tag, second.tag),
        attributes={name: values[number % len(values)], "warranty_years": 2 + number % 3},
    )
