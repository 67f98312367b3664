"""``/console/api``: how all connectors stand, one of them, and its last hour."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from worker import __version__
from worker.console import shapes
from worker.console.attention import in_order, notices
from worker.console.history import EVERY_S, moments
from worker.rest.call import Answer
from worker.rest.router import Route
from worker.runtime.refusals import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.console.port import Seen, Watcher
    from worker.rest.call import Call
    from worker.rest.masking import Masking
    from worker.runtime.port import ConnectorInfo, ConnectorStateInfo, Herder

API = "/console/api"
ONE = f"{API}/connectors/{{connector}}"
_FOUND = {HTTPStatus.OK: "", HTTPStatus.NOT_FOUND: "ErrorMessage"}


class Overseer:
    """Reads; whatever changes a connector goes through Connect's own paths."""

    def __init__(self, herder: Herder, watcher: Watcher, masking: Masking) -> None:
        self._herder = herder
        self._watcher = watcher
        self._masking = masking

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        return (
            Route("GET", f"{API}/overview", self.overview, "All.", {HTTPStatus.OK: ""}),
            Route("GET", ONE, self.details, "One.", _FOUND),
            Route("GET", f"{ONE}/series", self.series, "Its last hour.", _FOUND),
        )

    def overview(self, _call: Call) -> Answer:
        """Every connector, and what needs somebody."""
        health = self._herder.health()
        found = list(self._all())
        return Answer(
            body={
                "at_ms": int(time.time() * 1000),
                "pod": self._watcher.pod,
                "version": __version__,
                "is_well": health.is_alive and health.is_started,
                "health": health.detail,
                "notices": [
                    shapes.notice(one)
                    for one in in_order(
                        [line for _, status, seen in found for line in notices(status, seen)]
                    )
                ],
                "connectors": [
                    shapes.summary(status, self._masking.shown(info.config), seen)
                    for info, status, seen in found
                ],
            }
        )

    def details(self, call: Call) -> Answer:
        """One connector, its config as it may be shown."""
        info, status, seen = self._one(call.connector)
        body: dict[str, Any] = {
            "at_ms": int(time.time() * 1000),
            "this_pod": self._watcher.pod,
            "notices": [shapes.notice(one) for one in in_order(list(notices(status, seen)))],
            **shapes.details(status, self._masking.shown(info.config), seen),
        }
        return Answer(body=body)

    def series(self, call: Call) -> Answer:
        """Its last hour, as far as this process has lived."""
        _, _, seen = self._one(call.connector)
        return Answer(body={"every_s": EVERY_S, **shapes.series(moments(seen.samples))})

    def _all(self) -> Iterator[tuple[ConnectorInfo, ConnectorStateInfo, Seen]]:
        for name in self._herder.connectors():
            try:
                yield self._one(name)
            except NotFoundError:
                continue  # it vanished meanwhile

    def _one(self, name: str) -> tuple[ConnectorInfo, ConnectorStateInfo, Seen]:
        info, status = self._herder.connector(name), self._herder.status(name)
        return info, status, self._watcher.seen(name)
