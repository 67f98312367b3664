"""What happens in the demo's shop after the snapshot: inserts, updates and deletes, in order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tests.stack.demo_products import Product

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    product: Product


@dataclass(frozen=True, slots=True)
class Update:
    """Some columns of a row change."""

    id: int
    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Delete:
    """A row goes."""

    id: int


def _new(
    product_id: int, name: str, category: str, price: str, description: str, *tags: str
) -> Insert:
    attributes: dict[str, object] = {"warranty_years": 2, "new": True}
    cost = Decimal(price)
    return Insert(
        Product(product_id, name, category, description, cost, True, tags, attributes)  # noqa: FBT003 - in stock
    )


CHANGES: Final[tuple[Insert | Update | Delete, ...]] = (
    _new(
        201, "Monsoon Cycling Cape", "cycling", "79.00",
        "A wide rain cape for cyclists that covers rider, handlebar and knees. Thumb loops hold it"
        " down in heavy rain, and on the bike you stay dry without getting hot.",
        "waterproof", "commute",
    ),
    Update(41, {"price": Decimal("149.00")}),
    Update(
        49,
        {
            "name": "Isle Silent Flight Headphones",
            "description": "New edition for travellers: these headphones block the noise on a"
            " plane almost completely, because eight microphones cancel the drone of the engines"
            " while you watch a film or sleep above the clouds.",
        },
    ),
    Delete(16),
    Update(62, {"in_stock": False}),
    _new(
        202, "Midnight Reading Light", "lighting", "24.50",
        "A tiny clip-on lamp for books with warm amber light that does not wake the person beside"
        " you. It charges by USB and lasts for a whole novel.",
        "amber", "rechargeable",
    ),
    Update(
        101,
        {
            "description": "A jointed desk lamp whose light follows the sun: cool and bright at"
            " noon, warm in the evening, so that you fall asleep more easily after late work.",
        },
    ),
    Update(13, {"price": Decimal("249.00"), "in_stock": False}),
    _new(
        203, "Trailside Coffee Press", "camping", "36.90",
        "Brews two mugs of coffee over a gas burner at sunrise. Press and cup are one piece of"
        " titanium, so it weighs hardly more than the beans.",
        "titanium", "coffee",
    ),
    Delete(68),
    _new(
        204, "Lap Harp for Beginners", "music", "129.00",
        "A small harp with fifteen strings and song sheets that slip under them. Children and"
        " grandparents play their first melody within minutes, without reading music.",
        "children", "wood",
    ),
    Update(29, {"price": Decimal("199.50")}),
    Update(
        120,
        {
            "description": "An office chair made for bad backs: a pump behind the spine sets the"
            " support to the millimetre, and the seat rocks gently so that muscles keep working.",
            "tags": ["ergonomic", "back-pain"],
        },
    ),
    _new(
        205, "Herb Garden for the Window", "garden", "42.00",
        "Basil, mint and parsley grow in three clay pots that drink from a hidden tank. Fill it"
        " once a week, and fresh herbs are always beside the stove.",
        "indoor", "herbs",
    ),
    Update(182, {"in_stock": True, "price": Decimal("49.00")}),
    Delete(97),
    _new(
        206, "Astronomy Binoculars", "optics", "215.00",
        "Big lenses gather enough light to show the moons of Jupiter and the Andromeda galaxy."
        " An adapter for tripods is included, as stars do not like trembling hands.",
        "stars", "tripod",
    ),
    _new(
        207, "Weighted Blanket", "bedroom", "98.00",
        "Seven kilograms of fine glass beads lie on you like a calm hug and help restless people"
        " to fall asleep. The bamboo cover is cool in summer.",
        "sleep", "bamboo",
    ),
    Update(
        133,
        {
            "name": "Cedar Family Cargo Bicycle",
            "description": "A cargo bicycle for families: a low box between the wheels carries"
            " three children with seat belts, or the shopping of a fortnight, and a motor helps.",
            "attributes": {"gears": "8", "warranty_years": 5, "seats": 3},
        },
    ),
    Update(154, {"price": Decimal("44.90")}),
    Delete(150),
    _new(
        208, "Solar Power Bank", "electronics", "59.00",
        "Unfold four solar panels on your backpack and charge phone and head torch while you"
        " hike. A day of sun fills the battery, rain and dust do no harm.",
        "solar", "waterproof",
    ),
    Update(
        171,
        {
            "description": "A cooperative board game for rainy holidays in which the whole family"
            " saves a lighthouse from the storm. Nobody loses alone, and nobody is left out.",
        },
    ),
    Update(88, {"in_stock": False}),
    _new(
        209, "Sourdough Starter Kit", "kitchen", "34.00",
        "Everything for your first loaf of sourdough: a jar of lively starter, a proofing basket,"
        " a scraper and a booklet that takes away the fear.",
        "baking", "bread",
    ),
    Delete(193),
    Update(
        72,
        {
            "name": "Brook Precise Tea Kettle",
            "description": "A kettle for tea lovers that knows six temperatures, from delicate"
            " white tea to black Assam, and keeps the chosen one for half an hour.",
        },
    ),
    _new(
        210, "Dog Trail Harness", "pets", "47.50",
        "A padded harness for dogs on long hikes, with a handle to lift them over rocks and"
        " pockets for their own snacks. Reflective seams glow at dusk.",
        "dog", "hiking",
    ),
    Update(5, {"price": Decimal("119.00")}),
    Delete(39),
    _new(
        211, "Noise Machine for Babies", "nursery", "39.00",
        "Plays rain, heartbeat or a distant train until the baby sleeps, then fades out by"
        " itself. A soft night light shows the way to the crib.",
        "baby", "sleep",
    ),
    Update(200, {"in_stock": True, "price": Decimal("27.00")}),
    _new(
        212, "Fountain Pen Set", "stationery", "64.00",
        "A pen that makes letters worth writing: a steel nib with a little spring, six bottles of"
        " ink in the colors of autumn, and heavy cotton paper.",
        "writing", "gift",
    ),
)  # fmt: skip
"""Twelve inserts, fifteen updates (six of text, the others of price or stock), six deletes."""
