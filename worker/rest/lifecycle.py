"""What starts, holds and ends connectors and their tasks."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from worker.rest import shapes
from worker.rest.call import ACCEPTED, NO_CONTENT, Answer
from worker.rest.router import Route
from worker.runtime.port import RestartRequest

if TYPE_CHECKING:
    from worker.rest.call import Call
    from worker.runtime.port import Herder

_MISSING = {HTTPStatus.NOT_FOUND: "ErrorMessage"}
_ACCEPTED = {HTTPStatus.ACCEPTED: ""} | _MISSING
_DONE = {HTTPStatus.NO_CONTENT: ""} | _MISSING
_RESTART = {HTTPStatus.ACCEPTED: "ConnectorStateInfo", HTTPStatus.CONFLICT: "ErrorMessage"} | _DONE
_SWITCHES = {
    "includeTasks": "`true`: its tasks too.",
    "onlyFailed": "`true`: only what has failed.",
}


class Lifecycle:
    """Pause, resume, stop, restart."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        one = "/connectors/{connector}"
        return (
            Route("PUT", f"{one}/pause", self.pause, "Read nothing until it resumes.", _ACCEPTED),
            Route("PUT", f"{one}/resume", self.resume, "Go on after pause or stop.", _ACCEPTED),
            Route("PUT", f"{one}/stop", self.stop, "End its tasks until it resumes.", _DONE),
            Route(
                "POST",
                f"{one}/restart",
                self.restart,
                "Restart the connector; 204 where neither switch is set.",
                _RESTART,
                query=_SWITCHES,
            ),
            Route(
                "POST",
                f"{one}/tasks/{{task}}/restart",
                self.restart_task,
                "Restart one task.",
                _DONE,
            ),
        )

    def pause(self, call: Call) -> Answer:
        """Read nothing more, keep the partitions."""
        self._herder.pause(call.connector)
        return ACCEPTED

    def resume(self, call: Call) -> Answer:
        """Go on."""
        self._herder.resume(call.connector)
        return ACCEPTED

    def stop(self, call: Call) -> Answer:
        """End all tasks."""
        self._herder.stop(call.connector)
        return NO_CONTENT

    def restart(self, call: Call) -> Answer:
        """Connect answers without a body where no switch is set, as its first versions did."""
        includes, only_failed = call.is_set("includeTasks"), call.is_set("onlyFailed")
        found = self._herder.restart(RestartRequest(call.connector, includes, only_failed))
        if not includes and not only_failed:
            return NO_CONTENT
        return Answer(HTTPStatus.ACCEPTED, shapes.connector_state_info(found))

    def restart_task(self, call: Call) -> Answer:
        """One task."""
        self._herder.restart_task(call.connector, call.task)
        return NO_CONTENT
