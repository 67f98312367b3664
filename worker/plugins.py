"""Backends by name, from entry points; a backend's library is imported only when it is chosen."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import TYPE_CHECKING, Any

from worker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

EMBEDDERS = "vecsink.embedders"
STORES = "vecsink.stores"
RESELECTORS = "vecsink.reselectors"


class Registry:
    """Names of one group of plug-ins, and how to load one."""

    def __init__(self, group: str, points: Iterable[EntryPoint] | None = None) -> None:
        self._group = group
        found = _installed().select(group=group) if points is None else points
        self._points = {point.name: point for point in found}

    @property
    def names(self) -> list[str]:
        """All names that can be chosen, sorted."""
        return sorted(self._points)

    def load(self, name: str) -> Any:  # noqa: ANN401 - the caller knows the group's port
        """Import the plug-in and return its class.

        Raises:
            ConfigError: no such plug-in, or its extra is not installed.
        """
        point = self._points.get(name)
        if point is None:
            near = get_close_matches(name, self._points, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"no plug-in {name!r} among {', '.join(self.names)}{hint}")
        try:
            return point.load()
        except ImportError as error:
            raise ConfigError(
                f"{name!r} needs a library that is not installed ({error.name}): "
                f"install vecsink[{name}]"
            ) from error


@cache
def _installed() -> EntryPoints:
    """Of all groups, asked for once: each question reads a file of every distribution there is."""
    return entry_points()  # type: ignore[return-value]  # Python 3.11 has another type with "select"
