"""document.fields: parsing and rendering."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.document.fields import LabelledColumn, parse_fields
from worker.errors import ConfigError


def test_columns_have_labels_or_none() -> None:
    text = parse_fields("Product: name, Item Group:category , description")
    assert text.lines == (
        LabelledColumn("name", "Product"),
        LabelledColumn("category", "Item Group"),
        LabelledColumn("description"),
    )
    assert text.columns == {"name", "category", "description"}


def test_each_column_is_a_line_and_empty_ones_are_left_out() -> None:
    text = parse_fields("Product: name, Category: category, description")
    row = {"name": "Chair", "category": None, "description": "Soft.\nRed."}
    assert text.render(row) == "Product: Chair\nSoft.\nRed."
    assert text.render({"name": "  ", "category": ""}) == ""


def test_a_backslash_makes_separators_plain() -> None:
    text = parse_fields(r"Size\: EU\, UK: size, Price: Unit\ Price, Path\\: path")
    assert text.lines == (
        LabelledColumn("size", "Size: EU, UK"),
        LabelledColumn("Unit Price", "Price"),
        LabelledColumn("path", "Path\\"),
    )


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "is empty"),
        ("name, ,x", "item 2: is empty"),
        ("name,", "item 2: is empty"),
        ("A: B: c", r"item 1 \('A: B: c'\): has two colons"),
        (": name", "no label before the colon"),
        ("x, Label:", r"item 2 \('Label:'\): has no column"),
        ("Category category", "did you mean 'Category: category'"),
        ("Price: Unit Price", "space in the column's name"),
        ("name\\", "single backslash"),
    ],
)
def test_a_mistake_is_named_with_its_place(written: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"document.fields.*{complaint}"):
        parse_fields(written)


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\,: " else c for c in text)


NAMES = st.text(st.sampled_from("ab :,\\_ü😀"), min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1))
def test_any_names_can_be_written_with_escapes(pairs: list[tuple[str, str]]) -> None:
    written = ",".join(f"{_escaped(label)}:{_escaped(column)}" for label, column in pairs)
    assert parse_fields(written).lines == tuple(LabelledColumn(c, label) for label, c in pairs)
