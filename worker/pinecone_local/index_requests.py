"""Bodies of the control plane, decoded and checked: create and configure, in both forms."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from worker.pinecone_local.definition import Definition
from worker.pinecone_local.schema import check_schema, dense_field, sparse_field, unprocessable
from worker.pinecone_local.shape import DENSE_FIELD, SPARSE_FIELD
from worker.pinecone_local.wire import SCHEMA_VERSION, Refusal, Status, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.pinecone_local.wire import ApiVersion

    Body: TypeAlias = Mapping[str, Any]

NAME_MAX = 45
TAGS_MAX = 20
_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
_TAG_KEY = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
_TAG_VALUE = re.compile(r"^[ -~]{0,120}$")
_REGIONS = {
    "aws": re.compile(r"^(us|eu|ap|ca|sa)-[a-z]+-\d$"),
    "gcp": re.compile(r"^[a-z]+-[a-z]+\d$"),
    "azure": re.compile(r"^[a-z]+\d?$"),
}
_DEFAULT_DEPLOYMENT = {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
_CREATE = {"name", "deployment", "schema", "cmek_id", "read_capacity", "tags"}
_CREATE |= {"deletion_protection", "source_collection"}
_CONFIGURE = {"deployment", "schema", "read_capacity", "tags", "deletion_protection"}


def decode_create(version: ApiVersion, body: Body) -> Definition:
    """Read a create request in the form that belongs to the version."""
    if version.since(SCHEMA_VERSION):
        return _create_by_schema(body)
    return _create_classic(body)


def decode_configure(version: ApiVersion, definition: Definition, body: Body) -> Definition:
    """Apply a configure request; an empty tag value removes the tag."""
    if version.since(SCHEMA_VERSION):
        _refuse_unknown(body, _CONFIGURE)
    if body.get("schema") is not None:
        raise invalid("The index schema cannot be modified after creation")
    given = check_tags(body.get("tags"))
    tags = {key: value for key, value in {**definition.tags, **given}.items() if value}
    if len(tags) > TAGS_MAX:
        raise invalid(f"An index can have at most {TAGS_MAX} tags")
    protection = body.get("deletion_protection") or definition.deletion_protection
    return replace(definition, tags=tags, deletion_protection=_protection(protection))


def check_name(name: object) -> str:
    """Return a legal index name: 1 to 45 lower case letters, digits and inner hyphens."""
    if not isinstance(name, str):
        raise unprocessable("name: expected a string")
    if len(name) > NAME_MAX:
        raise invalid(f"Name length {len(name)} exceeds the limit of {NAME_MAX} characters")
    if not _NAME.match(name):
        raise invalid(
            "Name must consist of lower case alphanumeric characters or '-', "
            "and must start and end with an alphanumeric character"
        )
    return name


def check_tags(value: object) -> dict[str, str]:
    """Return tags; values may be empty, which configure takes for removal."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise unprocessable("tags: expected a map of strings")
    for key, item in value.items():
        if not _TAG_KEY.match(key):
            raise invalid(f"Tag key '{key}' must be 1-80 alphanumeric characters, '_' or '-'")
        if not _TAG_VALUE.match(item):
            raise invalid(f"Tag value of '{key}' must be up to 120 printable ASCII characters")
    if len(value) > TAGS_MAX:
        raise invalid(f"An index can have at most {TAGS_MAX} tags")
    return value


def _create_by_schema(body: Body) -> Definition:
    _refuse_unknown(body, _CREATE)
    if body.get("schema") is None:
        raise unprocessable("missing field `schema`")
    name = body.get("name")
    return Definition(
        name=f"index-{secrets.token_hex(4)}" if name is None else check_name(name),
        fields=check_schema(body["schema"]),
        deployment=_deployment(body.get("deployment")),
        deletion_protection=_protection(body.get("deletion_protection") or "disabled"),
        tags=_kept(check_tags(body.get("tags"))),
    )


def _create_classic(body: Body) -> Definition:
    for needed in ("name", "spec"):
        if body.get(needed) is None:
            raise unprocessable(f"missing field `{needed}`")
    return Definition(
        name=check_name(body["name"]),
        fields=_classic_fields(body),
        deployment=_deployment_of_spec(body["spec"]),
        deletion_protection=_protection(body.get("deletion_protection") or "disabled"),
        tags=_kept(check_tags(body.get("tags"))),
    )


def _classic_fields(body: Body) -> dict[str, dict[str, Any]]:
    kind, dimension = body.get("vector_type") or "dense", body.get("dimension")
    if kind == "sparse":
        if dimension is not None:
            raise invalid("dimension must not be set for sparse indexes")
        if body.get("metric") not in (None, "dotproduct"):
            raise invalid("Sparse indexes must use the dotproduct metric")
        return {SPARSE_FIELD: sparse_field()}
    if kind != "dense":
        raise invalid(f"vector_type must be dense or sparse, got {kind}")
    if dimension is None:
        raise invalid("dimension is required for dense indexes")
    return {DENSE_FIELD: dense_field(dimension, body.get("metric") or "cosine")}


def _deployment_of_spec(spec: object) -> dict[str, Any]:
    known = ("serverless", "pod", "byoc")
    if not isinstance(spec, dict) or len(spec) != 1 or next(iter(spec)) not in known:
        raise unprocessable("spec: expected one of `serverless`, `pod`, `byoc`")
    kind, inner = next(iter(spec.items()))
    if kind == "pod":
        raise invalid("Pod-based indexes are not available on this server")
    if not isinstance(inner, dict):
        raise unprocessable(f"spec.{kind}: expected a map")
    names = ("cloud", "region") if kind == "serverless" else ("environment",)
    deployment = {name: inner[name] for name in names if name in inner}
    return _deployment(
        {"deployment_type": "managed" if kind == "serverless" else "byoc", **deployment}
    )


def _deployment(value: object) -> dict[str, Any]:
    if value is None:
        return dict(_DEFAULT_DEPLOYMENT)
    kind = value.get("deployment_type") if isinstance(value, dict) else None
    needed = {"managed": ("cloud", "region"), "byoc": ("environment",)}.get(str(kind))
    if needed is None or not isinstance(value, dict):
        raise unprocessable("deployment: `deployment_type` must be `managed` or `byoc`")
    for name in needed:
        if not isinstance(value.get(name), str):
            raise unprocessable(f"deployment: missing field `{name}`")
    if kind == "managed":
        _check_region(value["cloud"], value["region"])
    return {"deployment_type": kind, **{name: value[name] for name in needed}}


def _check_region(cloud: str, region: str) -> None:
    pattern = _REGIONS.get(cloud)
    if pattern is None or not pattern.match(region):
        raise Refusal(Status.NOT_FOUND, f"Resource cloud: {cloud} region: {region} not found.")


def _protection(value: object) -> str:
    if value not in ("enabled", "disabled"):
        raise unprocessable("deletion_protection: expected `enabled` or `disabled`")
    return str(value)


def _kept(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if value}


def _refuse_unknown(body: Body, known: set[str]) -> None:
    for key in body:
        if key not in known:
            raise unprocessable(f"unknown field `{key}`")
