"""What a connector says about documents, read from its keys and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from worker.document.fields import KEY as FIELDS_KEY
from worker.document.fields import parse_fields
from worker.document.metadata_fields import MetadataField, parse_metadata
from worker.document.pattern import Pattern, parse_id, parse_namespace
from worker.errors import ConfigError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.document.template import Condition
    from worker.model import Value

TEMPLATE_KEY = "document.template"
DEFAULT_NAMESPACE = "${topic}"
DEFAULT_ID = "${key}"


class Renderer(Protocol):
    """A way from a row to its text; pure, safe from several threads."""

    columns: frozenset[str]
    """The columns that it reads."""

    def render(self, row: Mapping[str, Value]) -> str:
        """The text; empty if the row has none.

        Raises:
            RecordError: it failed for this row.
        """
        ...


@immutable
class DocumentSpec:
    """How rows of one connector become documents."""

    text: Renderer
    namespace: Pattern
    id: Pattern
    when: Condition | None = None
    metadata: tuple[MetadataField, ...] = ()
    keeps_text: bool = False
    """Whether the text, or a chunk's, is kept in the metadata (``metadata.text``)."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of ``after`` that documents are made of; names and ids need the key alone."""
        conditions = self.when.columns if self.when else frozenset()
        return self.text.columns | conditions | {field.column for field in self.metadata}


def parse_spec(  # noqa: PLR0913 - one argument per configuration key
    *,
    fields: str | None = None,
    template: str | None = None,
    when: str | None = None,
    metadata: str | None = None,
    keeps_text: bool = False,
    namespace: str = DEFAULT_NAMESPACE,
    point_id: str = DEFAULT_ID,
) -> DocumentSpec:
    """Read ``document.fields``, ``.template``, ``.when``, ``metadata.*``, ``store.*``.

    Raises:
        ConfigError: at the first mistake. To find all of them, call ``parse_text`` and the
            parsers of the other keys one by one.
    """
    return DocumentSpec(
        text=parse_text(fields, template),
        namespace=parse_namespace(namespace),
        id=parse_id(point_id),
        when=parse_condition(when) if when is not None else None,
        metadata=parse_metadata(metadata or "", keeps_text=keeps_text),
        keeps_text=keeps_text,
    )


def parse_text(fields: str | None, template: str | None) -> Renderer:
    """The text's recipe, from exactly one of two keys.

    Raises:
        ConfigError: both, none, or a mistake in the one that is there.
    """
    if fields is not None and template is not None:
        raise ConfigError(f"{FIELDS_KEY} and {TEMPLATE_KEY} are both there; keep one of them")
    if fields is not None:
        return parse_fields(fields)
    if template is not None:
        from worker.document.template import TemplateText  # noqa: PLC0415 - few have one

        return TemplateText(template)
    raise ConfigError(
        f"{FIELDS_KEY} (or {TEMPLATE_KEY}) is missing: nothing says what to embed; add such as "
        f'"{FIELDS_KEY}": "Product: name, Category: category, description"'
    )


def parse_condition(text: str) -> Condition:
    """Read ``document.when``.

    Raises:
        ConfigError: it is no condition on columns.
    """
    from worker.document.template import Condition  # noqa: PLC0415 - few have one

    return Condition(text)
