"""A registered Avro schema in one self-contained form that is easy to walk.

All names are full, a named type stands where it is used first (also one from a referenced schema),
defaults are gone (they matter only to readers that lack a field), and ``logicalType`` is renamed:
fastavro would silently round decimals to the schema's precision and fail on dates that Python
cannot hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from worker.decode.column_type import ColumnType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LOGICAL = "vecsink.logicalType"
"""Where the logical type is kept."""

Definitions: TypeAlias = "dict[str, tuple[Mapping[str, Any], str]]"

_NAMED = frozenset({"record", "error", "enum", "fixed"})


def self_contained(text: str, references: Iterable[str] = ()) -> Any:  # noqa: ANN401 - Avro JSON
    """The schema in that form; ``references`` are the texts of the schemas it refers to.

    Raises:
        ValueError, TypeError, LookupError: it is no Avro schema.
    """
    known: Definitions = {}
    for reference in references:
        _learn(json.loads(reference), "", known)
    schema = json.loads(text)
    _learn(schema, "", known)
    return _Inliner(known).walk(schema, "")


def definitions(schema: Any) -> Definitions:  # noqa: ANN401 - Avro JSON
    """All named types of a schema by name, each with its namespace."""
    known: Definitions = {}
    _learn(schema, "", known)
    return known


def part_of(node: Any, known: Definitions) -> Any:  # noqa: ANN401 - Avro JSON
    """A part of a self-contained schema, made self-contained itself."""
    return _Inliner(known).walk(node, "")


def column_type(schema: Any) -> ColumnType:  # noqa: ANN401 - Avro JSON
    """The type of a self-contained schema; null is taken out of unions."""
    return _Typing().of(schema)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _name_and_namespace(node: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    own = node.get("namespace")
    name = _full_name(node["name"], namespace if own is None else own)
    return name, name.rpartition(".")[0]


def _learn(node: Any, namespace: str, known: Definitions) -> None:  # noqa: ANN401
    """Collect the definitions of all named types."""
    if isinstance(node, list):
        for branch in node:
            _learn(branch, namespace, known)
    elif isinstance(node, dict):
        if node["type"] in _NAMED if isinstance(node["type"], str) else False:
            name, namespace = _name_and_namespace(node, namespace)
            known[name] = (node, namespace)
        for inner in _inner(node):
            _learn(inner, namespace, known)


def _inner(node: Mapping[str, Any]) -> Sequence[Any]:
    kind = node["type"]
    if kind in ("record", "error"):
        return [field["type"] for field in node["fields"]]
    if kind == "array":
        return [node["items"]]
    if kind == "map":
        return [node["values"]]
    return [] if isinstance(kind, str) else [kind]


class _Inliner:
    """Copies a schema into the self-contained form."""

    def __init__(self, known: Definitions) -> None:
        self._known = known
        self._defined: set[str] = set()

    def walk(self, node: Any, namespace: str) -> Any:  # noqa: ANN401
        if isinstance(node, str):
            return self._reference(node, namespace)
        if isinstance(node, list):
            return [self.walk(branch, namespace) for branch in node]
        kind = node["type"]
        if not isinstance(kind, str):
            return self.walk(kind, namespace)
        if kind in _NAMED:
            return self._named(node, namespace)
        copy = _attributes(node)
        for inner in ("items", "values"):
            if inner in copy:
                copy[inner] = self.walk(copy[inner], namespace)
        if kind in ("array", "map") or len(copy) > 1:
            return copy
        return self._reference(kind, namespace)

    def _reference(self, name: str, namespace: str) -> Any:  # noqa: ANN401
        for full in (_full_name(name, namespace), name):
            if full in self._known:
                return full if full in self._defined else self._named(*self._known[full])
        return name

    def _named(self, node: Mapping[str, Any], namespace: str) -> Any:  # noqa: ANN401
        name, namespace = _name_and_namespace(node, namespace)
        if name in self._defined:
            return name
        self._defined.add(name)
        copy = _attributes(node)
        copy.pop("namespace", None)
        copy.pop("aliases", None)
        copy["name"] = name
        if "fields" in copy:
            copy["fields"] = [self._field(field, namespace) for field in node["fields"]]
        return copy

    def _field(self, field: Mapping[str, Any], namespace: str) -> dict[str, Any]:
        return {"name": field["name"], "type": self.walk(field["type"], namespace)}


def _attributes(node: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {LOGICAL if name == "logicalType" else name: node[name] for name in node}
    renamed.pop("default", None)
    return renamed


class _Typing:
    """Turns a self-contained schema into column types; knows what it has seen by name."""

    def __init__(self) -> None:
        self._seen: dict[str, ColumnType] = {}

    def of(self, node: Any) -> ColumnType:  # noqa: ANN401
        if isinstance(node, str):
            return self._seen.get(node) or ColumnType(node)
        if isinstance(node, list):
            branches = [branch for branch in node if branch != "null"]
            return self.of(branches[0]) if len(branches) == 1 else ColumnType("union")
        return self._of_node(node)

    def _of_node(self, node: Mapping[str, Any]) -> ColumnType:
        base = node["type"]
        if "name" in node:  # a type inside itself is left as it comes
            self._seen[node["name"]] = ColumnType("union")
        inner = node.get("items", node.get("values"))
        kind = ColumnType(
            base,
            _semantic_name(node),
            _parameters(node),
            None if inner is None else self.of(inner),
            tuple((field["name"], self.of(field["type"])) for field in node.get("fields", ())),
        )
        if "name" in node:
            self._seen[node["name"]] = kind
        return kind


def _semantic_name(node: Mapping[str, Any]) -> str:
    name = node.get("connect.name") or node.get(LOGICAL) or node.get("name") or ""
    return str(name)


def _parameters(node: Mapping[str, Any]) -> dict[str, str]:
    given = dict(node.get("connect.parameters") or {})
    if "scale" in node:
        given.setdefault("scale", node["scale"])
    return {name: str(value) for name, value in given.items()}
