"""``/connectors``: which there are, their configs, and what they do."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from worker.rest import shapes
from worker.rest.call import NO_CONTENT, Answer, texts
from worker.rest.router import Route
from worker.runtime.port import TargetState
from worker.runtime.refusals import BadRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.rest.call import Call
    from worker.rest.masking import Masking
    from worker.rest.validation import Validator
    from worker.runtime.port import ConnectorInfo, Herder

_OK, _CREATED, _NO_CONTENT = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT
_BAD, _MISSING, _CONFLICT = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_REQUEST_FIELDS = frozenset({"name", "config", "initial_state"})
_EXPAND = {"expand": "`info`, `status` or both: the connectors with these instead of names alone."}


class Connectors:
    """Reads and changes connectors through the herder."""

    def __init__(self, herder: Herder, validator: Validator, masking: Masking) -> None:
        self._herder = herder
        self._validator = validator
        self._masking = masking
        self._patching = threading.Lock()

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        one = "/connectors/{connector}"
        info, bad = {_OK: "ConnectorInfo"}, {_BAD: "ErrorMessage"}
        missing, conflict = {_MISSING: "ErrorMessage"}, {_CONFLICT: "ErrorMessage"}
        made = {_CREATED: "ConnectorInfo"}
        return (
            Route("GET", "/connectors", self.all, "All connectors.", {_OK: "Names"}, query=_EXPAND),
            Route(
                "POST",
                "/connectors",
                self.create,
                "Make a connector.",
                made | bad | conflict,
                takes="CreateConnectorRequest",
            ),
            Route("GET", one, self.get, "A connector.", info | missing),
            Route(
                "DELETE", one, self.delete, "End and forget it.", {_NO_CONTENT: ""} | missing | bad
            ),
            Route("GET", f"{one}/config", self.config, "Its config.", {_OK: "Config"} | missing),
            Route(
                "PUT",
                f"{one}/config",
                self.put_config,
                "Make a connector, or replace its config.",
                info | made | bad | conflict,
                takes="Config",
            ),
            Route(
                "PATCH",
                f"{one}/config",
                self.patch_config,
                "Change single settings; null takes one away.",
                info | bad | missing,
                takes="Config",
            ),
            Route(
                "GET",
                f"{one}/status",
                self.status,
                "What it and its tasks do.",
                {_OK: "ConnectorStateInfo"} | missing,
            ),
            Route("GET", f"{one}/tasks", self.tasks, "Its tasks.", {_OK: "TaskInfos"} | missing),
            Route(
                "GET",
                f"{one}/tasks/{{task}}/status",
                self.task_status,
                "What one task does.",
                {_OK: "TaskState"} | missing,
            ),
        )

    def all(self, call: Call) -> Answer:
        """Names, or more where ``expand`` asks for it."""
        names = self._herder.connectors()
        if "expand" not in call.query:
            return Answer(body=list(names))
        wanted = call.query.getlist("expand")
        expanded = {name: self._expanded(name, wanted) for name in names}
        return Answer(body={name: found for name, found in expanded.items() if found is not None})

    def _expanded(self, name: str, wanted: list[str]) -> dict[str, Any] | None:
        """None where it vanished meanwhile."""
        try:
            found: dict[str, Any] = {}
            if "info" in wanted:
                found["info"] = self._info(self._herder.connector(name))
            if "status" in wanted:
                found["status"] = shapes.connector_state_info(self._herder.status(name))
        except NotFoundError:
            return None
        return found

    def create(self, call: Call) -> Answer:
        """A new connector, by a name of its own."""
        body = call.json_object()
        unknown = sorted(body.keys() - _REQUEST_FIELDS)
        if unknown:
            raise BadRequestError(f"Unrecognized field {', '.join(unknown)}")
        name = str(body.get("name") or "").strip()
        config = self._valid(name, texts(body.get("config")), {})
        info = self._herder.create(name, config, _initial_state(body.get("initial_state")))
        return Answer(_CREATED, self._info(info), _path(name))

    def get(self, call: Call) -> Answer:
        """Config and tasks."""
        return Answer(body=self._info(self._herder.connector(call.connector)))

    def delete(self, call: Call) -> Answer:
        """End and forget it."""
        self._herder.delete(call.connector)
        return NO_CONTENT

    def config(self, call: Call) -> Answer:
        """The config alone."""
        return Answer(body=self._masking.shown(self._herder.connector(call.connector).config))

    def put_config(self, call: Call) -> Answer:
        """A new connector or a new config."""
        name = call.connector
        config = self._valid(name, call.config(), self._stored(name))
        put = self._herder.put_config(name, config)
        if put.is_new:
            return Answer(_CREATED, self._info(put.info), _path(name))
        return Answer(body=self._info(put.info))

    def patch_config(self, call: Call) -> Answer:
        """The stored config with changes."""
        name, changes = call.connector, call.config()
        with self._patching:  # two at once would forget what the other changed
            stored = self._herder.connector(name).config
            kept = {**stored, **self._masking.restored(changes, stored)}
            patched = {key: value for key, value in kept.items() if value is not None}
            put = self._herder.put_config(name, self._valid(name, patched, stored))
        return Answer(body=self._info(put.info))

    def status(self, call: Call) -> Answer:
        """States."""
        return Answer(body=shapes.connector_state_info(self._herder.status(call.connector)))

    def tasks(self, call: Call) -> Answer:
        """Tasks and their configs."""
        tasks = sorted(self._herder.tasks(call.connector), key=lambda task: task.number)
        shown = self._masking.shown
        name = call.connector
        return Answer(body=[shapes.task_info(name, one, shown(one.config)) for one in tasks])

    def task_status(self, call: Call) -> Answer:
        """One task's state."""
        name, number = call.connector, call.task
        try:
            status = self._herder.status(name).tasks.get(number)
        except NotFoundError:
            status = None
        if status is None:
            raise NotFoundError(f"No status found for task {name}-{number}")
        return Answer(body=shapes.task_state(number, status))

    def _valid(
        self, name: str, sent: Mapping[str, str | None], stored: Mapping[str, str]
    ) -> dict[str, str]:
        """The config that was meant, with its name."""
        inside = sent.get("name")
        if inside is not None and inside != name:
            raise BadRequestError(
                f"Connector name configuration ({inside}) doesn't match connector name in the URL "
                f"({name})"
            )
        config = self._masking.restored({**sent, "name": name}, stored)
        self._validator.verdict(config).require()
        return {key: value for key, value in config.items() if value is not None}

    def _stored(self, name: str) -> Mapping[str, str]:
        try:
            return self._herder.connector(name).config
        except NotFoundError:
            return {}

    def _info(self, info: ConnectorInfo) -> dict[str, Any]:
        return shapes.connector_info(info, self._masking.shown(info.config))


def _path(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"


def _initial_state(given: object) -> TargetState:
    if given is None:
        return TargetState.RUNNING
    try:
        return TargetState(str(given).upper())
    except ValueError:
        raise BadRequestError("initial_state is none of RUNNING, PAUSED, STOPPED") from None
