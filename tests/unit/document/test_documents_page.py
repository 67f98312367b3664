"""What docs/documents.md claims is what the code does."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from worker.document.identity import PointIds
from worker.document.metadata import metadata_value
from worker.document.pattern import parse_id
from worker.document.place import Place
from worker.document.spec import parse_text
from worker.document.values import text_of
from worker.model import Key

PAGE = (Path(__file__).parents[3] / "docs" / "documents.md").read_text(encoding="utf-8")
NAMES = {
    "Decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "timezone": timezone,
}
EXAMPLE = re.compile(
    r"\*\*Example\*\*\n\n```json\n(.*?)```\n\n```json\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL
)


def _meant(cell: str) -> Any:
    return None if cell == "*nothing*" else eval(cell.strip("`"), dict(NAMES))  # our own page


def _table(head: str) -> list[list[str]]:
    body = PAGE.split(head, 1)[1].split("\n\n", 1)[0]
    lines = body.strip().splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("row", _table("| value | text | metadata |"), ids=lambda row: row[0])
def test_the_table_of_types_is_right(row: list[str]) -> None:
    value, text, metadata = map(_meant, row)
    assert text_of(value) == (text or "")
    assert metadata_value(value) == metadata
    assert type(metadata_value(value)) is type(metadata)


@pytest.mark.parametrize("row", _table("| `store.id` | key | id |"), ids=lambda row: row[2])
def test_the_table_of_ids_is_right(row: list[str]) -> None:
    pattern, key, expected = (cell.strip("`") for cell in row)
    place = Place("shop.public.order_items", "shop", "public", "order_items")
    columns = tuple((f"c{n}", value) for n, value in enumerate(_meant(key)))
    assert PointIds(parse_id(pattern)).of(place, Key(place.topic, columns)) == expected


@pytest.mark.parametrize("example", EXAMPLE.findall(PAGE), ids=lambda example: example[0][:24])
def test_the_examples_are_right(example: tuple[str, str, str]) -> None:
    config, row, text = json.loads(example[0]), json.loads(example[1]), example[2]
    renderer = parse_text(config.get("document.fields"), config.get("document.template"))
    assert renderer.render(row) == text.strip()


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLE.findall(PAGE)) == PAGE.count("**Example**") == 2
