r"""The text of a row from a list of columns: one line each, ``Label: value``.

``document.fields`` is a comma list of ``column`` or ``Label: column``. A label may contain spaces;
a backslash makes the next character plain, for a comma or colon in a label (``Size\: EU: size``)
and for spaces, commas or colons in a column's name (``Price: Unit\ Price``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.document.listing import Item, items_of, plain
from worker.document.values import text_of
from worker.errors import ConfigError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Value

KEY = "document.fields"


@immutable
class LabelledColumn:
    """One line of the text."""

    column: str
    label: str = ""
    """Empty for a line that is the value alone."""

    @property
    def lead(self) -> str:
        """What stands before the value."""
        return f"{self.label}: " if self.label else ""


class FieldsText:
    """Renders rows by ``document.fields``."""

    def __init__(self, lines: tuple[LabelledColumn, ...]) -> None:
        self.lines = lines
        self.columns = frozenset(line.column for line in lines)
        self._leads = tuple((line.column, line.lead) for line in lines)

    def render(self, row: Mapping[str, Value]) -> str:
        """One line per column that has a text; empty if none has."""
        lines = []
        for column, lead in self._leads:
            text = text_of(row.get(column))
            if text:
                lines.append(lead + text)
        return "\n".join(lines)


def parse_fields(text: str) -> FieldsText:
    """Read the value of ``document.fields``.

    Raises:
        ConfigError: with the item and what is wrong with it.
    """
    if not text.strip():
        raise ConfigError(f"{KEY}: is empty; expected such as 'Product: name, description'")
    return FieldsText(tuple(map(_line, items_of(KEY, text))))


def _line(item: Item) -> LabelledColumn:
    head, colon, tail = item.shielded.partition(":")
    if ":" in tail:
        raise item.error("has two colons; write \\: for a colon that belongs to the label")
    if not colon:
        return LabelledColumn(_column(item, head))
    if not head.strip():
        raise item.error("has no label before the colon; leave the colon out for no label")
    if not tail.strip():
        raise item.error("has no column after the colon")
    return LabelledColumn(_column(item, tail), plain(head.strip()))


def _column(item: Item, shielded: str) -> str:
    """The name of a column; a space in it is most often a forgotten colon or comma."""
    *before, last = shielded.split()
    if not before:
        return plain(last)
    if ":" in item.shielded:
        raise item.error("has a space in the column's name; write it as '\\ ' if it is one")
    meant = f"{plain(' '.join(before))}: {plain(last)}"
    raise item.error(f"has a space; did you mean {meant!r}? (a space in a column's name is '\\ ')")
