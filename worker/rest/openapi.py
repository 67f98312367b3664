"""The OpenAPI description of everything that is offered, made from the routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from worker import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.rest.router import Route

_VARIABLE = re.compile(r"\{(\w+)\}")
_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer"}
_FLAG: dict[str, Any] = {"type": "boolean"}
_NULLABLE: dict[str, Any] = {"type": ["string", "null"]}
_STATES = ["UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "RESTARTING"]


def _object(*optional: str, **properties: dict[str, Any]) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _map(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def _shape(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


SHAPES: dict[str, dict[str, Any]] = {
    "Names": {
        "oneOf": [
            _list(_TEXT),
            _map(
                _object(
                    "info",
                    "status",
                    info=_shape("ConnectorInfo"),
                    status=_shape("ConnectorStateInfo"),
                )
            ),
        ]
    },
    "Config": _map({"type": ["string", "number", "boolean", "null"]}),
    "CreateConnectorRequest": _object(
        "initial_state",
        name=_TEXT,
        config=_shape("Config"),
        initial_state={"enum": ["RUNNING", "PAUSED", "STOPPED"]},
    ),
    "ConnectorInfo": _object(
        name=_TEXT,
        config=_shape("Config"),
        tasks=_list(_shape("TaskId")),
        type={"enum": ["sink"]},
    ),
    "TaskId": _object(connector=_TEXT, task=_NUMBER),
    "ConnectorState": _object(
        "trace", state={"enum": [*_STATES, "STOPPED"]}, worker_id=_TEXT, version=_TEXT, trace=_TEXT
    ),
    "TaskState": _object(
        "trace", id=_NUMBER, state={"enum": _STATES}, worker_id=_TEXT, version=_TEXT, trace=_TEXT
    ),
    "ConnectorStateInfo": _object(
        name=_TEXT,
        connector=_shape("ConnectorState"),
        tasks=_list(_shape("TaskState")),
        type={"enum": ["sink"]},
    ),
    "TaskInfo": _object(id=_shape("TaskId"), config=_shape("Config")),
    "TaskInfos": _list(_shape("TaskInfo")),
    "ActiveTopics": _map(_object(topics=_list(_TEXT))),
    "ConnectorOffsets": _object(offsets=_list(_shape("ConnectorOffset"))),
    "ConnectorOffset": _object(
        partition=_object(kafka_topic=_TEXT, kafka_partition={"type": ["integer", "string"]}),
        offset={
            "oneOf": [
                _object(kafka_offset={"type": ["integer", "string"]}),
                {"type": "null"},
            ]
        },
    ),
    "Message": _object(message=_TEXT),
    "ErrorMessage": _object(error_code=_NUMBER, message=_TEXT),
    "PluginInfo": _object(**{"class": _TEXT}, type={"enum": ["sink", "converter"]}, version=_TEXT),
    "PluginInfos": _list(_shape("PluginInfo")),
    "ConfigKeyInfo": _object(
        name=_TEXT,
        type={"enum": ["BOOLEAN", "STRING", "INT", "DOUBLE", "LIST", "CLASS", "PASSWORD"]},
        required=_FLAG,
        default_value=_NULLABLE,
        importance={"enum": ["HIGH", "MEDIUM", "LOW"]},
        documentation=_TEXT,
        group=_TEXT,
        width={"enum": ["NONE", "SHORT", "MEDIUM", "LONG"]},
        display_name=_TEXT,
        dependents=_list(_TEXT),
        order_in_group=_NUMBER,
    ),
    "ConfigKeyInfos": _list(_shape("ConfigKeyInfo")),
    "ConfigValueInfo": _object(
        name=_TEXT,
        value=_NULLABLE,
        recommended_values=_list(_TEXT),
        errors=_list(_TEXT),
        visible=_FLAG,
    ),
    "ConfigInfos": _object(
        name=_TEXT,
        error_count=_NUMBER,
        groups=_list(_TEXT),
        configs=_list(_object(definition=_shape("ConfigKeyInfo"), value=_shape("ConfigValueInfo"))),
    ),
    "Level": _object(level=_TEXT),
    "LoggerLevel": _object(level=_TEXT, last_modified={"type": ["integer", "null"]}),
    "LoggerLevels": _map(_shape("LoggerLevel")),
    "ServerInfo": _object(version=_TEXT, commit=_TEXT, kafka_cluster_id=_TEXT),
    "WorkerStatus": _object(status={"enum": ["healthy", "starting", "unhealthy"]}, message=_TEXT),
}
"""What goes in and out, by the names of Connect's own classes."""


def description(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vecsink",
            "version": __version__,
            "description": "Kafka Connect's REST API for connectors that fill vector stores.",
        },
        "paths": paths,
        "components": {"schemas": SHAPES},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "parameters": [*_in_path(route.path), *_in_query(route)],
        "responses": {
            str(status.value): _response(status.phrase, name)
            for status, name in sorted(route.answers.items())
        },
    }
    if route.takes:
        operation["requestBody"] = {"required": True, **_content(route.takes)}
    return operation


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _NUMBER if name == "task" else _TEXT,
        }
        for name in _VARIABLE.findall(path)
    ]


def _in_query(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": meaning, "schema": _TEXT}
        for name, meaning in route.query.items()
    ]


def _response(phrase: str, name: str) -> dict[str, Any]:
    return {"description": phrase, **(_content(name) if name else {})}


def _content(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": _shape(name)}}}
