"""Every setting as one row: key, type, default and meaning, read from the models."""

from __future__ import annotations

from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import SecretStr

from worker.immutable import immutable
from worker.plugins import EMBEDDERS, STORES, Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from worker.config.section import Section

GROUPS = {"embedder": EMBEDDERS, "store": STORES}
TITLES = {
    "connector": "Connector",
    "events": "Change events",
    "document": "Document and metadata",
    "target": "Embedder and store",
    "errors": "Errors",
    "batch": "Batches and bounds",
    "budget": "Budget",
    "reselect": "Source database",
}
"""Of the sections of a connector, by their names in ``SECTIONS``; converters stand apart."""


@immutable
class Entry:
    """One setting."""

    key: str
    kind: str
    """What its values are, for people: ``text``, ``whole number``, ``secret`` …"""
    default: str | None
    """As one would write it; None if it has none."""
    is_required: bool
    meaning: str
    choices: tuple[str, ...] = ()
    """All values, if they are few."""


def entries(section: type[Section], prefix: str = "") -> Iterator[Entry]:
    """The settings of a section in the order of their definition."""
    for name, field in section.model_fields.items():
        yield Entry(
            key=prefix + (field.alias or name),
            kind=_kind(field),
            default=_default(field),
            is_required=field.is_required(),
            meaning=field.description or "",
            choices=_choices(field),
        )


def plugin_sections(kind: str) -> dict[str, type[Section]]:
    """The settings of all installed plug-ins of ``embedder`` or ``store``, by name.

    Raises:
        ConfigError: the library of one of them is not installed.
    """
    registry = Registry(GROUPS[kind])
    return {name: registry.load(name).Config for name in registry.names}


def _types(field: FieldInfo) -> tuple[Any, ...]:
    """The type, or the members of the union without None."""
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal or not get_args(annotation):
        return (annotation,)
    if get_origin(annotation) is tuple:
        return (annotation,)
    return tuple(member for member in get_args(annotation) if member is not NoneType)


def _choices(field: FieldInfo) -> tuple[str, ...]:
    for member in _types(field):
        if get_origin(member) is Literal:
            return tuple(str(value) for value in get_args(member))
        if isinstance(member, type) and issubclass(member, Enum):
            return tuple(str(value.value) for value in member)
    return ()


def _kind(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "kind" in extra:
        return str(extra["kind"])
    choices = _choices(field)
    if choices:
        return " or ".join(f"`{choice}`" for choice in choices)
    names = {bool: "`true` or `false`", int: "whole number", float: "number", SecretStr: "secret"}
    return next((names[member] for member in _types(field) if member in names), "text")


def _default(field: FieldInfo) -> str | None:
    value = None if field.is_required() else field.get_default(call_default_factory=False)
    if value is None or value in ("", ()):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, int) and _kind(field) == "bytes" and value % 1024**2 == 0:
        return f"{value // 1024**2} MiB"
    return "[set]" if isinstance(value, SecretStr) else str(value)
