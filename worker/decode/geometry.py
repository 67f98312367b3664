"""Points and PostGIS/MySQL geometries without their binary form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def point(struct: Mapping[str, Any]) -> dict[str, float]:
    """``io.debezium.data.geometry.Point``: its two coordinates."""
    return {"x": struct["x"], "y": struct["y"]}


def geometry(struct: Mapping[str, Any]) -> dict[str, Any]:
    """``Geometry`` and ``Geography``: the well-known binary in hexadecimal, and the SRID."""
    return {"wkb": struct["wkb"].hex(), "srid": struct.get("srid")}
