"""The schema of a new index: which fields it may declare, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.pinecone_local.records import Metric
from worker.pinecone_local.shape import DENSE_FIELD, SPARSE_FIELD
from worker.pinecone_local.wire import Refusal, Status, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

DIMENSION_MAX = 20_000
FIELD_NAME_BYTES_MAX = 64
TEXT_FIELDS_MAX = 100
DESCRIPTION_MAX = 256
_TEXT_SEARCH = {"language": "en", "stemming": False, "stop_words": False}
_TEXT_OPTIONS = {"language": str, "stemming": bool, "stop_words": bool, "ngram": dict}
_RESERVED = {DENSE_FIELD: "dense_vector", SPARSE_FIELD: "sparse_vector"}


def unprocessable(reason: str) -> Refusal:
    """Refuse a body that has the wrong form (422), in the words of the real service."""
    return Refusal(
        Status.UNPROCESSABLE_ENTITY,
        f"Failed to deserialize the JSON body into the target type: {reason}",
    )


def check_schema(value: object) -> dict[str, dict[str, Any]]:
    """Return the fields of a schema, with what the client left out filled in."""
    if not isinstance(value, dict) or not isinstance(value.get("fields"), dict):
        raise unprocessable("schema: missing field `fields`")
    if not value["fields"]:
        raise invalid("schema must declare at least one field")
    fields = {name: _field(name, field) for name, field in value["fields"].items()}
    _check_names(fields)
    _check_counts(fields)
    return fields


def dense_field(dimension: object, metric: object, description: object = None) -> dict[str, Any]:
    """A dense vector field of 1 to 20,000 dimensions."""
    if isinstance(dimension, bool) or not isinstance(dimension, int):
        raise unprocessable("dimension: expected an integer")
    if not 1 <= dimension <= DIMENSION_MAX:
        raise invalid(f"Dimension must be between 1 and {DIMENSION_MAX}, got {dimension}")
    if not isinstance(metric, str) or metric not in set(Metric):
        raise invalid(f"Metric must be one of cosine, dotproduct, euclidean, got {metric}")
    return {
        "type": "dense_vector",
        "dimension": dimension,
        "metric": metric,
        "description": description,
    }


def sparse_field(description: object = None) -> dict[str, Any]:
    """A sparse vector field."""
    return {"type": "sparse_vector", "description": description}


def _field(name: str, field: object) -> dict[str, Any]:
    kind = field.get("type") if isinstance(field, dict) else None
    if not isinstance(field, dict) or kind is None:
        raise unprocessable(f"schema.fields.{name}: missing field `type`")
    _check_description(name, field.get("description"))
    if kind == "dense_vector":
        for needed in ("dimension", "metric"):
            if needed not in field:
                raise unprocessable(f"schema.fields.{name}: missing field `{needed}`")
        return dense_field(field["dimension"], field["metric"], field.get("description"))
    if kind == "sparse_vector":
        return sparse_field(field.get("description"))
    if kind == "string":
        return _text_field(name, field)
    raise unprocessable(f"schema.fields.{name}: unknown variant `{kind}`")


def _text_field(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    if "embed" in field or "sparse_embed" in field:
        raise invalid(f"Field '{name}': this server has no embedding models")
    if "filterable" in field:
        raise invalid(
            f"Field '{name}': the schema only accepts fields used for search; "
            "metadata fields need no declaration"
        )
    search = field.get("full_text_search")
    if not isinstance(search, dict):
        raise unprocessable(f"schema.fields.{name}: missing field `full_text_search`")
    _check_text_search(name, search)
    resolved: dict[str, Any] = {"type": "string", "full_text_search": {**_TEXT_SEARCH, **search}}
    if field.get("description") is not None:
        resolved["description"] = field["description"]
    return resolved


def _check_text_search(name: str, search: Mapping[str, Any]) -> None:
    for option, value in search.items():
        if option not in _TEXT_OPTIONS:
            raise unprocessable(f"schema.fields.{name}.full_text_search: unknown field `{option}`")
        if not isinstance(value, _TEXT_OPTIONS[option]):
            raise unprocessable(f"schema.fields.{name}.full_text_search.{option}: invalid type")


def _check_description(name: str, description: object) -> None:
    if description is None:
        return
    if not isinstance(description, str):
        raise unprocessable(f"schema.fields.{name}.description: expected a string")
    if len(description) > DESCRIPTION_MAX:
        raise invalid(f"Field '{name}': description exceeds {DESCRIPTION_MAX} characters")
    if name in _RESERVED:
        raise invalid(f"Field '{name}': reserved fields do not accept a description")


def _check_names(fields: Mapping[str, Mapping[str, Any]]) -> None:
    reserved = [name for name in fields if name.startswith("_")]
    for name in fields:
        if name.startswith("$") or not 1 <= len(name.encode()) <= FIELD_NAME_BYTES_MAX:
            raise invalid(f"Invalid field name '{name}'")
    for name in reserved:
        if _RESERVED.get(name) != fields[name]["type"]:
            raise invalid(f"Field name '{name}' is reserved: names must not begin with '_'")
    if reserved and len(reserved) != len(fields):
        raise invalid("Reserved fields cannot be combined with other fields")


def _check_counts(fields: Mapping[str, Mapping[str, Any]]) -> None:
    kinds = [field["type"] for field in fields.values()]
    for kind, most in (("dense_vector", 1), ("sparse_vector", 1), ("string", TEXT_FIELDS_MAX)):
        if kinds.count(kind) > most:
            raise invalid(f"schema has {kinds.count(kind)} {kind} fields, at most {most} allowed")
