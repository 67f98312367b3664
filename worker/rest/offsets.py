"""Which topics a connector has read, and where it goes on in them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from worker.rest import shapes
from worker.rest.call import ACCEPTED, Answer
from worker.rest.router import Route
from worker.runtime.port import PartitionOffset
from worker.runtime.refusals import BadRequestError

if TYPE_CHECKING:
    from worker.rest.call import Call
    from worker.runtime.port import Herder

_OK, _BAD, _MISSING = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND
_CHANGED = {_OK: "Message", _BAD: "ErrorMessage", _MISSING: "ErrorMessage"}
_TOPIC, _PARTITION, _OFFSET = "kafka_topic", "kafka_partition", "kafka_offset"
_DONE = "The offsets for this connector have been {} successfully"


class Offsets:
    """Topics and offsets of one connector."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def routes(self) -> tuple[Route, ...]:
        """What is offered."""
        one = "/connectors/{connector}"
        return (
            Route(
                "GET",
                f"{one}/topics",
                self.topics,
                "Topics that it has read records from.",
                {_OK: "ActiveTopics"},
            ),
            Route(
                "PUT",
                f"{one}/topics/reset",
                self.reset_topics,
                "Forget which they were.",
                {HTTPStatus.ACCEPTED: ""},
            ),
            Route(
                "GET",
                f"{one}/offsets",
                self.get,
                "The next offset to read of each partition.",
                {_OK: "ConnectorOffsets", _MISSING: "ErrorMessage"},
            ),
            Route(
                "PATCH",
                f"{one}/offsets",
                self.alter,
                "Move a stopped connector; an offset of null forgets the partition's.",
                _CHANGED,
                takes="ConnectorOffsets",
            ),
            Route(
                "DELETE",
                f"{one}/offsets",
                self.reset,
                "Forget all offsets of a stopped connector.",
                _CHANGED,
            ),
        )

    def topics(self, call: Call) -> Answer:
        """None for unknown names, as in Connect."""
        name = call.connector
        return Answer(body=shapes.active_topics(name, self._herder.active_topics(name)))

    def reset_topics(self, call: Call) -> Answer:
        """Forget the topics."""
        self._herder.reset_active_topics(call.connector)
        return ACCEPTED

    def get(self, call: Call) -> Answer:
        """What the group has committed."""
        return Answer(body=shapes.offsets(self._herder.offsets(call.connector)))

    def alter(self, call: Call) -> Answer:
        """Commit other offsets for the group."""
        body = call.json_object()
        unknown = sorted(body.keys() - {"offsets"})
        if unknown:
            raise BadRequestError(f"Unrecognized field {', '.join(unknown)}")
        given = body.get("offsets")
        if not given:
            raise BadRequestError(
                "Partitions / offsets need to be provided for an alter offsets request"
            )
        if not isinstance(given, list):
            raise BadRequestError("offsets is not a list")
        self._herder.alter_offsets(call.connector, [_change(one) for one in given])
        return Answer(body={"message": _DONE.format("altered")})

    def reset(self, call: Call) -> Answer:
        """Forget all that the group has committed."""
        self._herder.reset_offsets(call.connector)
        return Answer(body={"message": _DONE.format("reset")})


def _change(given: object) -> PartitionOffset:
    """One entry; numbers may be text (``org.apache.kafka.connect.util.SinkUtils``)."""
    if not isinstance(given, dict) or given.keys() - {"partition", "offset"}:
        raise BadRequestError("Each of the offsets is an object of partition and offset")
    topic, number = _partition(given.get("partition"))
    return PartitionOffset(topic, number, _offset(given.get("offset")))


def _partition(given: object) -> tuple[str, int]:
    if not isinstance(given, dict):
        raise BadRequestError("The partition for a sink connector offset cannot be null or missing")
    if not {_TOPIC, _PARTITION} <= given.keys():
        raise BadRequestError(
            "The partition for a sink connector offset must contain the keys "
            f"'{_TOPIC}' and '{_PARTITION}'"
        )
    if given[_TOPIC] is None:
        raise BadRequestError("Kafka topic names must be valid strings and may not be null")
    if given[_PARTITION] is None:
        raise BadRequestError("Kafka partitions must be valid numbers and may not be null")
    return str(given[_TOPIC]), _whole("partition", given[_PARTITION])


def _offset(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, dict) or _OFFSET not in given:
        raise BadRequestError(
            f"The offset for a sink connector should either be null or contain the key '{_OFFSET}'"
        )
    return _whole("offset", given[_OFFSET])


def _whole(what: str, given: Any) -> int:  # noqa: ANN401 - any JSON value
    text = given if isinstance(given, str) else json.dumps(given)
    if text.isascii() and text.removeprefix("-").isdigit():
        return int(text)
    raise BadRequestError(
        f"Failed to parse the following Kafka {what} value in the provided offsets: '{text}'. "
        f"{what.capitalize()} values for sink connectors need to be integers."
    )
