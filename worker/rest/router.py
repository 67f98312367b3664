"""Which handler answers a path, found in the path as it was sent.

A part of a path is decoded only after the path was cut at its slashes, so that names may contain
encoded ones. One slash at the end makes no difference, as in Connect.
"""

from __future__ import annotations

from dataclasses import field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from worker.immutable import immutable
from worker.rest.call import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from worker.rest.call import Answer, Call


@immutable
class Route:
    """One operation and what the OpenAPI page says about it."""

    method: str
    path: str
    """Variable parts in braces, such as ``/connectors/{connector}/status``."""
    handler: Callable[[Call], Answer]
    summary: str
    answers: Mapping[HTTPStatus, str]
    """What can be the answer: the name of its shape, or empty for none."""
    takes: str = ""
    """The shape of the body."""
    query: Mapping[str, str] = field(default_factory=dict)
    """What may be in the query, and what it does."""
    is_urgent: bool = False
    """Whether it is answered while others wait for Kafka; it must not block."""


@immutable
class Match:
    """A route and the variable parts of the path."""

    route: Route
    arguments: Mapping[str, str]


class Router:
    """All routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._parts = [(_cut(route.path), route) for route in self.routes]

    def methods(self, path: str) -> list[str]:
        """What a path can be asked for; empty if nothing is there."""
        found = {match.route.method for match in self._matches(path)}
        implied = {"OPTIONS"} if found else set()
        return sorted(found | implied | ({"HEAD"} if "GET" in found else set()))

    def find(self, method: str, path: str) -> Match:
        """The route for a path as it was sent; HEAD finds what GET would.

        Raises:
            RefusedError: there is no such path, or not with this method.
        """
        wanted = "GET" if method == "HEAD" else method
        for match in self._matches(path):
            if match.route.method == wanted:
                return match
        allowed = self.methods(path)
        if not allowed:
            raise RefusedError(HTTPStatus.NOT_FOUND)
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, {"allow": ",".join(allowed)})

    def _matches(self, path: str) -> Iterable[Match]:
        sent = _cut(path)
        for pattern, route in self._parts:
            arguments = _arguments(pattern, sent)
            if arguments is not None:
                yield Match(route, arguments)


def _cut(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix("/").removesuffix("/").split("/"))


def _arguments(pattern: tuple[str, ...], sent: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(sent):
        return None
    arguments: dict[str, str] = {}
    for wanted, part in zip(pattern, sent, strict=True):
        if wanted.startswith("{") and part:
            arguments[wanted[1:-1]] = unquote(part)
        elif wanted != unquote(part):
            return None
    return arguments
