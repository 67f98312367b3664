"""The JSON of answers, field by field as the entities of Kafka Connect 4.3.

They are the classes of ``org.apache.kafka.connect.runtime.rest.entities``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.rest.definitions import Definition
    from worker.rest.validation import Setting, Verdict
    from worker.runtime.port import (
        ConnectorInfo,
        ConnectorStateInfo,
        PartitionOffset,
        Status,
        TaskInfo,
    )
    from worker.telemetry.levels import LoggerLevel

SINK = "sink"


def connector_info(info: ConnectorInfo, config: Mapping[str, str]) -> dict[str, Any]:
    """``ConnectorInfo``; the config is what may be shown of it."""
    tasks = [_task_id(info.name, number) for number in sorted(info.tasks)]
    return {"name": info.name, "config": dict(config), "tasks": tasks, "type": SINK}


def connector_state_info(info: ConnectorStateInfo) -> dict[str, Any]:
    """``ConnectorStateInfo``; its tasks by number."""
    tasks = [task_state(number, info.tasks[number]) for number in sorted(info.tasks)]
    return {"name": info.name, "connector": _state(info.connector), "tasks": tasks, "type": SINK}


def task_state(number: int, status: Status) -> dict[str, Any]:
    """``TaskState``."""
    return {"id": number, **_state(status)}


def task_info(name: str, task: TaskInfo, config: Mapping[str, str]) -> dict[str, Any]:
    """``TaskInfo``."""
    return {"id": _task_id(name, task.number), "config": dict(config)}


def offsets(found: Iterable[PartitionOffset]) -> dict[str, Any]:
    """``ConnectorOffsets`` of a sink."""
    return {
        "offsets": [
            {
                "partition": {"kafka_topic": one.topic, "kafka_partition": one.partition},
                "offset": {"kafka_offset": one.offset},
            }
            for one in sorted(found, key=lambda one: (one.topic, one.partition))
        ]
    }


def config_infos(name: str, verdict: Verdict) -> dict[str, Any]:
    """``ConfigInfos``: definition, value and mistakes of every setting."""
    return {
        "name": name,
        "error_count": len(verdict.errors),
        "groups": verdict.groups,
        "configs": [
            {"definition": config_key_info(one.definition), "value": _value(one)}
            for one in verdict.settings
        ],
    }


def config_key_info(definition: Definition) -> dict[str, Any]:
    """``ConfigKeyInfo``."""
    return {
        "name": definition.name,
        "type": definition.type,
        "required": definition.is_required,
        "default_value": definition.default,
        "importance": definition.importance,
        "documentation": definition.documentation,
        "group": definition.group,
        "width": definition.width,
        "display_name": definition.name,
        "dependents": [],
        "order_in_group": definition.order,
    }


def logger_level(level: LoggerLevel) -> dict[str, Any]:
    """``LoggerLevel``."""
    return {"level": level.level, "last_modified": level.last_modified_ms}


def active_topics(name: str, topics: Sequence[str]) -> dict[str, Any]:
    """``ActiveTopicsInfo``, below the connector's name."""
    return {name: {"topics": sorted(topics)}}


def error_message(status: int, message: str) -> dict[str, Any]:
    """``ErrorMessage``."""
    return {"error_code": status, "message": message}


def _task_id(connector: str, number: int) -> dict[str, Any]:
    return {"connector": connector, "task": number}


def _state(status: Status) -> dict[str, Any]:
    """Without ``trace`` where there is none; ``version`` is the plug-in's."""
    state = {
        "state": status.state.value,
        "worker_id": status.worker_id,
        "version": __version__,
    }
    return {**state, "trace": status.trace} if status.trace else state


def _value(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.definition.name,
        "value": setting.value,
        "recommended_values": list(setting.definition.choices),
        "errors": list(setting.errors),
        "visible": True,
    }
