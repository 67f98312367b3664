"""The demo's answers as tables."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from worker.demo.hits import hits_table
from worker.store.port import Match

HIT = Match(
    "101",
    0.712,
    {"name": "Dune Jacket", "price": 149.9, "in_stock": True, "category": "outdoor clothing"},
)


def shown(width: int) -> str:
    out = StringIO()
    Console(file=out, width=width).print(hits_table([HIT], []))
    return out.getvalue()


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_score_id_and_price_stay_whole_on_a_narrow_terminal(width: int) -> None:
    text = shown(width)

    assert "0.712" in text
    assert "101" in text
    assert "149.90" in text


def test_columns_stand_at_the_same_places_whatever_the_rows() -> None:
    assert shown(80).splitlines()[0] == (
        "score   id name                           price in_stock category               "
    )
