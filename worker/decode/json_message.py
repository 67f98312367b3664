"""Messages of Connect's JsonConverter, with their schema and without it.

With ``schemas.enable`` each message is ``{"schema":…,"payload":…}``. The schema is the longer part
and always the same, so it is read once and recognised by its bytes afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from worker.decode.connect_schema import connect_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.decode.column_type import ColumnType
    from worker.decode.part import Part
    from worker.errors import RecordError

Plan = TypeVar("Plan")

_PAYLOAD = b',"payload":'
_MOST_PLANS = 1000
"""More schemas than topics have in practice; bounds the memory."""


def load_json(data: bytes | memoryview, part: Part) -> Any:  # noqa: ANN401 - any JSON
    """Parse.

    Raises:
        RecordError: it is no JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _broken(data, part) from error


def without_schema(data: bytes, part: Part) -> Any:  # noqa: ANN401 - any JSON
    """The content of a message that has no schema.

    Raises:
        RecordError: it is no JSON, or it does have a schema.
    """
    content = load_json(data, part)
    if _is_wrapped(content) and isinstance(content["schema"], dict):
        raise part.error(
            f"the {part} is {{schema, payload}}: set {part}.converter.schemas.enable=true",
            kind="SchemaInMessage",
        )
    return content


class WithSchema(Generic[Plan]):
    """Reads messages that have a schema; ``prepare`` makes what is kept for each schema."""

    def __init__(self, part: Part, prepare: Callable[[ColumnType], Plan]) -> None:
        self._part = part
        self._prepare = prepare
        self._plans: dict[bytes, Plan] = {}

    def read(self, data: bytes) -> tuple[Plan, Any] | None:
        """The plan and the payload; None if either is null.

        Raises:
            RecordError: it is no JSON, or has no schema that can be read.
        """
        data = data.rstrip()
        end = data.find(_PAYLOAD)
        plan = self._plans.get(data[:end]) if end > 0 and data.endswith(b"}") else None
        if plan is None:
            return self._read_all(data)
        payload = load_json(memoryview(data)[end + len(_PAYLOAD) : -1], self._part)
        return None if payload is None else (plan, payload)

    def _read_all(self, data: bytes) -> tuple[Plan, Any] | None:
        message = load_json(data, self._part)
        if message is None:
            return None
        if not _is_wrapped(message):
            raise self._part.error(
                f"the {self._part} has no schema: set {self._part}.converter.schemas.enable=false",
                kind="NoSchemaInMessage",
            )
        if message["payload"] is None:
            return None
        plan = self._planned(message["schema"])
        self._remember(data, plan)
        return plan, message["payload"]

    def _planned(self, schema: Any) -> Plan:  # noqa: ANN401 - any JSON
        try:
            kind = connect_type(schema)
        except (LookupError, TypeError, AttributeError) as error:
            raise self._part.error(
                f"the {self._part}'s schema is none of Kafka Connect", kind="BrokenSchema"
            ) from error
        return self._prepare(kind)

    def _remember(self, data: bytes, plan: Plan) -> None:
        """Keep the plan under the bytes before the payload, if they are the whole schema."""
        head = data[: data.find(_PAYLOAD)]
        try:
            alone = orjson.loads(head + b"}")
        except orjson.JSONDecodeError:
            return
        if isinstance(alone, dict) and alone.keys() == {"schema"}:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[head] = plan


def _is_wrapped(message: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(message, dict) and message.keys() == {"schema", "payload"}


def _broken(data: bytes | memoryview, part: Part) -> RecordError:
    if bytes(data[:1]) == b"\x00":
        return part.error(
            f"the {part} looks like Avro with a schema id: set {part}.converter=avro",
            kind="BrokenJson",
        )
    return part.error(f"the {part} is no JSON", kind="BrokenJson")
