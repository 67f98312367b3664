"""Whether JSON fits a schema of the OpenAPI document; knows what the document uses and no more."""

from __future__ import annotations

from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}


def misfits(value: Any, schema: dict[str, Any], shapes: dict[str, Any], at: str = "$") -> list[str]:
    """Where the value differs, in words; empty if it fits."""
    if "$ref" in schema:
        return misfits(value, shapes[schema["$ref"].rpartition("/")[2]], shapes, at)
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r}"]
    if "oneOf" in schema:
        found = [misfits(value, one, shapes, at) for one in schema["oneOf"]]
        return [] if [] in found else min(found, key=len)
    if not _is(value, schema["type"]):
        return [f"{at}: {value!r} is no {schema['type']}"]
    return _parts(value, schema, shapes, at)


def _parts(value: Any, schema: dict[str, Any], shapes: dict[str, Any], at: str) -> list[str]:
    if isinstance(value, dict):
        return _members(value, schema, shapes, at)
    if not isinstance(value, list):
        return []
    found: list[str] = []
    for number, item in enumerate(value):
        found += misfits(item, schema["items"], shapes, f"{at}[{number}]")
    return found


def _members(
    value: dict[str, Any], schema: dict[str, Any], shapes: dict[str, Any], at: str
) -> list[str]:
    properties, rest = schema.get("properties", {}), schema["additionalProperties"]
    found = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        inside = properties.get(name, rest)
        found += misfits(item, inside, shapes, f"{at}.{name}") if inside else [f"{at}.{name}?"]
    return found


def _is(value: object, kind: str | list[str]) -> bool:
    kinds = [kind] if isinstance(kind, str) else kind
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES[one]) for one in kinds)
