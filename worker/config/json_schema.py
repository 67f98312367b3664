"""JSON schema of the connector JSON, for editors: flat or in the shape of Connect's REST API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from worker.config.catalogue import Entry, entries, plugin_sections
from worker.config.converter import CONVERTER_CLASSES
from worker.config.keys import OUR_PREFIXES, SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.config.section import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES: dict[str, dict[str, Any]] = {
    "whole number": {"type": ["integer", "string"], "pattern": r"^(-?[0-9]+|\$\{.+\})$"},
    "number": {"type": ["number", "string"]},
    "bytes": {"type": ["integer", "string"]},
    "`true` or `false`": {"enum": [True, False, "true", "false"]},
}


def connector_schema() -> dict[str, Any]:
    """The schema, with the settings of all installed plug-ins."""
    plugins = {kind: plugin_sections(kind) for kind in ("embedder", "store")}
    return {
        "$schema": DIALECT,
        "title": "vecsink connector",
        "type": "object",
        "if": {"required": ["config"], "properties": {"config": {"type": "object"}}},
        "then": {
            "properties": {"name": {"type": "string"}, "config": {"$ref": "#/$defs/settings"}},
        },
        "else": {"$ref": "#/$defs/settings", "required": ["name"]},
        "$defs": {"settings": _settings(plugins)},
    }


def as_text(schema: Mapping[str, Any]) -> str:
    """The schema as it is kept in a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _settings(plugins: Mapping[str, Mapping[str, type[Section]]]) -> dict[str, Any]:
    ours = [entry for part, prefix in SECTIONS.values() for entry in entries(part, prefix)]
    theirs = [
        entry
        for sections in plugins.values()
        for part in sections.values()
        for entry in entries(part)
    ]
    properties = _properties(ours)
    for kind, sections in plugins.items():
        properties[kind] = {**properties[kind], "enum": sorted(sections)}
    known = sorted({entry.key for entry in (*ours, *theirs)})
    return {
        "type": "object",
        "properties": properties,
        "required": [entry.key for entry in ours if entry.is_required and entry.key != "name"],
        "patternProperties": {_unknown_of_ours(known): False, "^(transforms|predicates)": False},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "allOf": [
            _either("topics", "topics.regex"),
            _either("document.fields", "document.template"),
            *(
                _chosen(kind, name, part)
                for kind, sections in plugins.items()
                for name, part in sections.items()
            ),
        ],
    }


def _properties(rows: Iterable[Entry]) -> dict[str, Any]:
    return {row.key: _property(row) for row in rows}


def _property(row: Entry) -> dict[str, Any]:
    described: dict[str, Any] = {"description": row.meaning}
    if row.default is not None:
        described["default"] = row.default
    if row.choices and row.key != "connector.class":
        classes = list(CONVERTER_CLASSES) if row.key.endswith(".converter") else []
        return {**described, "enum": [*row.choices, *classes]}
    return {**described, **_TYPES.get(row.kind, {"type": "string"})}


def _either(one: str, other: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [one]}, {"required": [other]}]}


def _chosen(kind: str, name: str, section: type[Section]) -> dict[str, Any]:
    """What holds if this plug-in is chosen."""
    rows = list(entries(section))
    return {
        "if": {"properties": {kind: {"const": name}}, "required": [kind]},
        "then": {
            "properties": _properties(rows),
            "required": [row.key for row in rows if row.is_required],
        },
    }


def _unknown_of_ours(known: Iterable[str]) -> str:
    names = "|".join(re.escape(key) for key in known)
    prefixes = "|".join(re.escape(prefix) for prefix in OUR_PREFIXES)
    return f"^(?!({names})$)({prefixes})"
