"""The settings of a connector as Connect describes them: ``ConfigKeyInfo``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.config.catalogue import TITLES, Entry, entries
from worker.config.converter import ConverterSettings
from worker.config.keys import SECTIONS
from worker.errors import ConfigError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.config.read import Plugins
    from worker.config.section import Section
    from worker.plugins import Registry

CONVERTERS = "Converters"
OTHERS = "Others"
_TYPES = {
    "secret": "PASSWORD",
    "whole number": "INT",
    "number": "DOUBLE",
    "list": "LIST",
    "`true` or `false`": "BOOLEAN",
}
"""Bytes stay STRING, as they may be written ``64 MiB``."""
_CLASSES = frozenset({"connector.class", "key.converter", "value.converter"})
_HIGH = frozenset(
    {"tasks.max", "topics", "topics.regex", "document.fields", "document.template", "store.index"}
)
_LOW = frozenset({TITLES["batch"], CONVERTERS})
_WIDTHS = {"BOOLEAN": "SHORT", "INT": "SHORT", "DOUBLE": "SHORT", "LIST": "LONG"}


@immutable
class Definition:
    """One setting in Connect's words."""

    name: str
    type: str
    """BOOLEAN, STRING, INT, DOUBLE, LIST, CLASS or PASSWORD."""
    default: str | None
    is_required: bool
    importance: str
    """HIGH, MEDIUM or LOW."""
    documentation: str
    group: str
    order: int = 0
    """In its group, from 1."""
    choices: tuple[str, ...] = ()

    @property
    def width(self) -> str:
        """How much room a form should give it."""
        return _WIDTHS.get(self.type, "MEDIUM")


def all_definitions(plugins: Plugins) -> list[Definition]:
    """Of every embedder and every store whose library is installed.

    Where they share a key, the first one describes it; it is required, or has a default, only if
    that is so in each.
    """
    merged: dict[str, Definition] = {}
    for one in (*_common(plugins), *_of_all(plugins)):
        merged[one.name] = _merged(merged.get(one.name, one), one)
    return _ordered(merged.values())


def converter_definitions() -> list[Definition]:
    """Of a converter alone, without what a connector puts before its keys."""
    prefix = "converter."
    found = _definitions(ConverterSettings, "", CONVERTERS)
    inside = [one for one in found if one.name.startswith(prefix)]
    return _ordered(replace(one, name=one.name.removeprefix(prefix)) for one in inside)


def chosen_definitions(plugins: Plugins, embedder: str, store: str) -> list[Definition]:
    """Of a connector with these plug-ins; one that cannot be loaded adds nothing."""
    theirs = (
        *_of_plugin("Embedder", plugins.embedders, embedder),
        *_of_plugin("Store", plugins.stores, store),
    )
    return _ordered([*_common(plugins), *theirs])


def unknown_definition(name: str) -> Definition:
    """Of a key that nobody reads; clients rely on each value having a definition."""
    return Definition(name, "STRING", None, False, "LOW", "Not a setting.", OTHERS)  # noqa: FBT003 - as the fields say


def _common(plugins: Plugins) -> Iterator[Definition]:
    choices = {"embedder": plugins.embedders.names, "store": plugins.stores.names}
    for part, (section, prefix) in SECTIONS.items():
        for one in _definitions(section, prefix, TITLES.get(part, CONVERTERS)):
            yield replace(one, choices=tuple(choices.get(one.name, one.choices)))


def _of_all(plugins: Plugins) -> Iterator[Definition]:
    for group, registry in (("Embedder", plugins.embedders), ("Store", plugins.stores)):
        for name in registry.names:
            yield from _of_plugin(group, registry, name)


def _of_plugin(group: str, registry: Registry, name: str) -> Iterator[Definition]:
    try:
        section = registry.load(name).Config
    except ConfigError:
        return
    yield from _definitions(section, "", group)


def _definitions(section: type[Section], prefix: str, group: str) -> Iterator[Definition]:
    for entry in entries(section, prefix):
        yield Definition(
            name=entry.key,
            type="CLASS" if entry.key in _CLASSES else _TYPES.get(entry.kind, "STRING"),
            default=entry.default,
            is_required=entry.is_required,
            importance=_importance(entry, group),
            documentation=entry.meaning,
            group=group,
            choices=entry.choices,
        )


def _importance(entry: Entry, group: str) -> str:
    if entry.is_required or entry.key in _HIGH:
        return "HIGH"
    return "LOW" if group in _LOW else "MEDIUM"


def _merged(first: Definition, other: Definition) -> Definition:
    return replace(
        first,
        is_required=first.is_required and other.is_required,
        default=first.default if first.default == other.default else None,
    )


def _ordered(found: Iterable[Definition]) -> list[Definition]:
    taken: Counter[str] = Counter()
    ordered = []
    for one in found:
        taken[one.group] += 1
        ordered.append(replace(one, order=taken[one.group]))
    return ordered
