"""Weaviate's REST API, as far as it is about collections: what one takes, and making it.

https://docs.weaviate.io/weaviate/api/rest. A collection whose vectors we bring has no dimensions
before its first one, so ours says them in its description.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import httpx

from worker.answers import read_whole
from worker.errors import FatalError
from worker.immutable import immutable
from worker.tls import trusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.weaviate_config import WeaviateConfig

STORED: Final = "_stored"
"""Property with the point's id, its metadata and our stamp, as JSON: Weaviate's own types would
take numbers apart and dates for what they are not."""

_VECTOR: Final = "default"
"""What the vendor's client calls the only vector of a collection. Of one without a name the server
answers each vector twice, as numbers and as bytes."""

_DISTANCES: Final = {"cosine": "cosine", "dotproduct": "dot", "euclidean": "l2-squared"}
_DESCRIPTION: Final = re.compile(r"vecsink: (\d+) dimensions")
_MISSING: Final = 404
_UNPROCESSABLE: Final = 422


@immutable
class Collection:
    """What a collection is like."""

    dimensions: int | None
    """None where its description does not say it."""
    vectors: int
    """How many an object has."""
    distance: str
    """Of the only one."""
    properties: frozenset[str]
    is_multi_tenant: bool
    makes_tenants: bool


class Schema:
    """The REST API. Thread-safe; one call is one request."""

    def __init__(self, config: WeaviateConfig) -> None:
        self._config = config
        self._path = f"/v1/schema/{config.index}"
        self._http = httpx.Client(
            base_url=config.url,
            headers=dict(config.login),
            timeout=config.timeout_s,
            verify=trusted(),
            event_hooks={"response": [read_whole]},
        )

    def version(self) -> str:
        """The server's version."""
        return str(self._get("/v1/meta").get("version", "?"))

    def collection(self) -> Collection | None:
        """The collection, or None if there is none."""
        try:
            held = self._get(self._path)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != _MISSING:
                raise
            return None
        tenancy = held.get("multiTenancyConfig") or {}
        said = _DESCRIPTION.search(held.get("description") or "")
        indexes = _indexes(held)
        return Collection(
            dimensions=int(said[1]) if said else None,
            vectors=len(indexes),
            distance=str(indexes[0].get("distance", "cosine")) if indexes else "",
            properties=frozenset(one["name"] for one in held.get("properties") or ()),
            is_multi_tenant=bool(tenancy.get("enabled")),
            makes_tenants=bool(tenancy.get("autoTenantCreation")),
        )

    def names(self) -> Sequence[str]:
        """The collections that exist."""
        return sorted(one["class"] for one in self._get("/v1/schema").get("classes") or ())

    def create(self, dimensions: int) -> bool:
        """Make the collection; whether nobody was faster."""
        wanted = {
            "class": self._config.index,
            "description": f"Points of vecsink: {dimensions} dimensions",
            "vectorConfig": {
                _VECTOR: {
                    "vectorizer": {"none": {}},
                    "vectorIndexType": "hnsw",
                    "vectorIndexConfig": {"distance": _DISTANCES[self._config.metric]},
                }
            },
            "multiTenancyConfig": {
                "enabled": True,
                "autoTenantCreation": True,
                "autoTenantActivation": True,
            },
            "invertedIndexConfig": {"indexNullState": True},
            "properties": [_stored(), *map(_property, self._config.properties)],
        }
        answer = self._http.post("/v1/schema", json=wanted)
        if answer.status_code == _UNPROCESSABLE and "already exists" in answer.text:
            return False
        answer.raise_for_status()
        return True

    def add_properties(self, held: Collection) -> None:
        """Make the properties that are missing."""
        for pair in self._config.properties:
            if pair[0] not in held.properties:
                self._http.post(f"{self._path}/properties", json=_property(pair)).raise_for_status()

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._http.get(path).raise_for_status()
        try:
            held: dict[str, Any] = answer.json()
        except ValueError:
            raise FatalError("store.url does not seem to be a Weaviate server's") from None
        return held


def _indexes(held: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Of each vector, be it without a name or one of those that have one."""
    vectors = [held, *(held.get("vectorConfig") or {}).values()]
    return [index for vector in vectors if (index := vector.get("vectorIndexConfig"))]


def _stored() -> Mapping[str, Any]:
    return {
        "name": STORED,
        "dataType": ["text"],
        "indexFilterable": False,
        "indexSearchable": False,
    }


def _property(pair: tuple[str, str]) -> Mapping[str, Any]:
    """Texts are compared as a whole, not word by word."""
    name, kind = pair
    wanted: dict[str, Any] = {"name": name, "dataType": [kind], "indexFilterable": True}
    if kind.startswith("text"):
        wanted |= {"tokenization": "field", "indexSearchable": False}
    if kind == "number":
        wanted["indexRangeFilters"] = True
    return wanted
