"""``metadata.fields``: which columns become metadata, and under which names."""

from __future__ import annotations

import re

from worker.document.listing import Item, items_of, plain
from worker.document.metadata import SOURCE_TABLE, TEXT, UPDATED_AT
from worker.immutable import immutable

KEY = "metadata.fields"
TEXT_KEY = "metadata.text"
_AS = re.compile(r"\s+as\s+", re.IGNORECASE)
_OURS = ("_", "$")
"""Names that begin so are vecsink's own or, in Pinecone, operators of filters."""


@immutable
class MetadataField:
    """A column and its name in the metadata."""

    column: str
    name: str


def parse_metadata(text: str, *, keeps_text: bool = False) -> tuple[MetadataField, ...]:
    r"""Read ``metadata.fields``: a comma list of ``column`` or ``column as name``.

    A backslash makes the next character plain: ``Unit\ Price as price``. An empty text: no columns.
    ``keeps_text`` says that the name ``text`` is not free (``metadata.text``, and all chunks).

    Raises:
        ConfigError: with the item and what is wrong with it.
    """
    if not text.strip():
        return ()
    taken = {TEXT: TEXT_KEY} if keeps_text else {}
    return tuple(_field(item, taken) for item in items_of(KEY, text))


def _field(item: Item, taken: dict[str, str]) -> MetadataField:
    column, *names = _AS.split(item.shielded)
    if len(names) > 1:
        raise item.error("has 'as' twice; expected 'column' or 'column as name'")
    field = MetadataField(_name(item, column), _name(item, names[0] if names else column))
    _check(item, field, taken)
    taken[field.name] = field.column
    return field


def _check(item: Item, field: MetadataField, taken: dict[str, str]) -> None:
    if field.name in (SOURCE_TABLE, UPDATED_AT):
        raise item.error(
            f"{field.name!r} is always in the metadata, with vecsink's meaning; write "
            f"'{field.column} as row_{field.name}'"
        )
    if field.name.startswith(_OURS):
        raise item.error(f"the name {field.name!r} begins with _ or $, which are not for columns")
    if field.name in taken:
        raise item.error(f"the name {field.name!r} is already that of {taken[field.name]!r}")


def _name(item: Item, shielded: str) -> str:
    if re.search(r"\s", shielded):
        raise item.error("expected 'column' or 'column as name'; a space in a name is '\\ '")
    return plain(shielded)
