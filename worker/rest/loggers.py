"""``/admin/loggers``: what is logged, changed while the worker runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from worker.rest import shapes
from worker.rest.call import NO_CONTENT, Answer
from worker.rest.router import Route
from worker.runtime.refusals import BadRequestError, NotFoundError
from worker.telemetry.levels import is_level, level_of, levels, set_level

if TYPE_CHECKING:
    from worker.rest.call import Call
    from worker.runtime.port import Herder

_OK, _BAD, _MISSING = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND
_SCOPE = {"scope": "`worker`, the default, or `cluster` for every pod."}


class Loggers:
    """Levels of this worker's loggers, or of all pods'."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        one = "/admin/loggers/{logger}"
        return (
            Route(
                "GET",
                "/admin/loggers",
                self.all,
                "Loggers with a level of their own.",
                {_OK: "LoggerLevels"},
            ),
            Route(
                "GET",
                one,
                self.get,
                "A logger's level, or the one that it inherits.",
                {_OK: "LoggerLevel", _MISSING: "ErrorMessage"},
            ),
            Route(
                "PUT",
                one,
                self.put,
                "Change a logger and those below it.",
                {
                    _OK: "Names",
                    HTTPStatus.NO_CONTENT: "",
                    _BAD: "ErrorMessage",
                    _MISSING: "ErrorMessage",
                },
                takes="Level",
                query=_SCOPE,
            ),
        )

    def all(self, _call: Call) -> Answer:
        """By name."""
        found = {name: shapes.logger_level(level) for name, level in levels().items()}
        return Answer(body=found)

    def get(self, call: Call) -> Answer:
        """One of them."""
        name = call.arguments["logger"]
        level = level_of(name)
        if level is None:
            raise NotFoundError(f"Logger {name} not found.")
        return Answer(body=shapes.logger_level(level))

    def put(self, call: Call) -> Answer:
        """Names of the loggers that changed, or nothing for the whole cluster."""
        name, level = call.arguments["logger"], call.config().get("level")
        if level is None:
            raise BadRequestError("Desired 'level' parameter was not specified in request.")
        if not is_level(level):
            raise NotFoundError(f"invalid log level '{level}'.")
        try:
            changed = set_level(name, level)
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        if call.query.get("scope", "").lower() != "cluster":
            return Answer(body=changed)
        self._herder.set_logger_level(name, level)
        return NO_CONTENT
