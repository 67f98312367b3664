"""What Pinecone accepts as id, namespace and metadata, and how it says no.

Limits: https://docs.pinecone.io/reference/api/database-limits and the 2026-07 API description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from worker.pinecone_local.wire import Refusal, Status, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

Metadata: TypeAlias = dict[str, Any]

ID_MAX = 512
NAMESPACE_MAX = 512
METADATA_BYTES_MAX = 40_960
SCHEMA_FIELDS_MAX = 50
EXACT_INTEGERS = 2**53
DEFAULT_NAMESPACE = "__default__"


def check_id(value: object, *, what: str = "Vector ID") -> str:
    """Return a legal record id: 1 to 512 ASCII characters without NUL."""
    if not isinstance(value, str):
        raise invalid(f"{what} must be a string, got {_shown(value)}")
    if not value:
        raise invalid(f"{what} must not be empty")
    if not value.isascii():
        raise invalid(f"{what} must be ASCII, but got '{value}'")
    if "\x00" in value:
        raise invalid(f"{what} must not contain null character")
    if len(value) > ID_MAX:
        raise invalid(f"{what} must be at most {ID_MAX} characters, got {len(value)}")
    return value


def check_prefix(value: str, *, what: str) -> str:
    """Return a legal prefix of ids or namespaces; it may be empty."""
    return check_id(value, what=what) if value else value


def check_namespace(value: object) -> str:
    """Return the stored name of a namespace; the empty name and ``__default__`` are one."""
    if value is None or value == "":
        return DEFAULT_NAMESPACE
    if not isinstance(value, str):
        raise invalid(f"Namespace must be a string, got {_shown(value)}")
    if not value.isascii() or "\x00" in value:
        raise invalid(f"Namespace must be ASCII without null characters, but got '{value}'")
    if len(value) > NAMESPACE_MAX:
        raise invalid(f"Namespace must be at most {NAMESPACE_MAX} characters, got {len(value)}")
    return value


def check_metadata(value: object) -> Metadata | None:
    """Return metadata as it is stored: numbers are doubles, nulls and nested values refused."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid(f"Metadata must be an object, got {_shown(value)}")
    checked = {key: _checked(key, item) for key, item in value.items()}
    size = len(orjson.dumps(checked))
    if size > METADATA_BYTES_MAX:
        raise invalid(
            f"metadata size is {size} bytes, which exceeds the limit of "
            f"{METADATA_BYTES_MAX} bytes per vector"
        )
    return checked


def check_field_name(key: str) -> None:
    """Refuse names that the filter language keeps for its operators."""
    if key.startswith("$"):
        raise invalid(f"Metadata field names may not begin with '$', got '{key}'")


def is_number(value: object) -> bool:
    """Whether a JSON value is a number; JSON's booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_double(value: float) -> float:
    """Round what a double cannot hold exactly, and leave every other number as it was sent."""
    if isinstance(value, int) and abs(value) > EXACT_INTEGERS:
        return float(value)
    return value


def is_string_list(value: object) -> bool:
    """Whether a JSON value is a list of strings; the empty list is one."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def check_namespace_schema(value: object) -> Mapping[str, Any] | None:
    """Return the metadata schema of a new namespace; ``filterable`` has to be true."""
    if value is None:
        return None
    fields = value.get("fields") if isinstance(value, dict) else None
    if not isinstance(fields, dict):
        raise invalid("Namespace schema must have an object 'fields'")
    if len(fields) > SCHEMA_FIELDS_MAX:
        raise invalid(f"Namespace schema has {len(fields)} fields, at most {SCHEMA_FIELDS_MAX}")
    for name, config in fields.items():
        if not isinstance(config, dict) or config.get("filterable") is not True:
            raise invalid(
                f"Field '{name}' is set to filterable: false. Only filterable: true is supported. "
                "To avoid indexing the field, omit it from the list of fields."
            )
    return {"fields": fields}


def not_found(namespace: str) -> Refusal:
    """Say that a namespace does not exist (404)."""
    return Refusal(Status.NOT_FOUND, f"Namespace not found: {namespace}")


def _checked(key: str, value: object) -> Any:  # noqa: ANN401 - a JSON value
    check_field_name(key)
    if isinstance(value, str | bool) or is_string_list(value):
        return value
    if isinstance(value, int | float):
        return as_double(value)
    raise invalid(
        "Metadata value must be a string, number, boolean or list of strings, "
        f"got '{_shown(value)}' for field '{key}'"
    )


def _shown(value: object) -> str:
    try:
        return orjson.dumps(value).decode()[:50]
    except orjson.JSONEncodeError:  # nested deeper than it can be written
        return "a deeply nested value"
