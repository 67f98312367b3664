"""The answer to a question as a table, with what is not as it was before.

All tables have the same columns at the same places, 80 wide in all, so that two can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.model import MetadataValue
    from worker.store.port import Match

_COLUMNS = ("name", "price", "in_stock", "category")
_NAME = 29
_CATEGORY = 16
"""Widths; on a narrow terminal these two columns give way, so that scores and ids stay whole."""
_CHANGED = "bold yellow"
_MOVED = "bold green"


def hits_table(hits: Sequence[Match], before: Sequence[Match]) -> Table:
    """Score, id and metadata of each hit; new places and values stand out.

    ``before`` is the earlier answer to the same question.
    """
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("score", justify="right", width=5, no_wrap=True)
    table.add_column("id", justify="right", width=4, no_wrap=True)
    table.add_column("name".ljust(_NAME), max_width=_NAME, overflow="fold")
    table.add_column("price", justify="right", width=6, no_wrap=True)
    table.add_column("in_stock", width=8, no_wrap=True)
    table.add_column("category".ljust(_CATEGORY), max_width=_CATEGORY, overflow="fold")
    table.add_column("", width=6, no_wrap=True)
    places = {hit.id: (place, hit) for place, hit in enumerate(before)}
    for place, hit in enumerate(hits):
        old_place, old = places.get(hit.id, (None, None))
        cells = [_cell(name, hit, old) for name in _COLUMNS]
        moved = Text(_moved(place, old_place), _MOVED)
        table.add_row(_score(hit, old), hit.id, *cells, moved)
    return table


def _shown(name: str, metadata: Mapping[str, MetadataValue]) -> str:
    """A value as the shop writes it."""
    value = metadata.get(name, "")
    if name == "price" and isinstance(value, (int, float)):
        return f"{value:.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _cell(name: str, hit: Match, old: Match | None) -> Text:
    text = _shown(name, hit.metadata)
    changed = old is not None and _shown(name, old.metadata) != text
    return Text(text, _CHANGED if changed else "")


def _score(hit: Match, old: Match | None) -> Text:
    text = f"{hit.score:.3f}"
    changed = old is not None and f"{old.score:.3f}" != text
    return Text(text, _CHANGED if changed else "")


def _moved(place: int, old_place: int | None) -> str:
    if old_place is None:
        return "new"
    if place == old_place:
        return ""
    way = "up" if place < old_place else "down"
    return f"{way} {abs(place - old_place)}"
