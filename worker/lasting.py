"""The clients that talk to Kafka, all of which come back when all of Kafka was away.

See ``worker.rebootstrap``. Who polls, or asks, looks after the client by that.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import confluent_kafka
from confluent_kafka import admin

from worker.rebootstrap import Rebootstrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

Ask = TypeVar("Ask", bound="Callable[..., Any]")


class LastingConsumer(confluent_kafka.Consumer):
    """As confluent-kafka's; ``poll`` or ``consume`` has to be called now and then."""

    def __init__(self, properties: dict[str, Any], rebootstrap: Rebootstrap | None = None) -> None:
        super().__init__(properties)
        self._rebootstrap = rebootstrap or _rebootstrap(properties)

    def poll(self, timeout: float = -1) -> Message | None:
        """Wait for one message."""
        self._rebootstrap.look(self)
        return super().poll(timeout)

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Wait for some."""
        self._rebootstrap.look(self)
        return super().consume(num_messages, timeout)


class LastingProducer(confluent_kafka.Producer):
    """As confluent-kafka's; ``poll`` has to be called now and then."""

    def __init__(self, properties: dict[str, Any], rebootstrap: Rebootstrap | None = None) -> None:
        super().__init__(properties)
        self._rebootstrap = rebootstrap or _rebootstrap(properties)

    def poll(self, timeout: float = -1) -> int:
        """Serve callbacks."""
        self._rebootstrap.look(self)
        return super().poll(timeout)


def _after_a_look(ask: Ask) -> Ask:
    @wraps(ask)
    def asked(client: LastingAdmin, *args: object, **kwargs: object) -> object:
        client.rebootstrap.look(client)
        return ask(client, *args, **kwargs)

    return cast("Ask", asked)


class LastingAdmin(admin.AdminClient):
    """As confluent-kafka's; these questions find out whether there is somebody to ask."""

    def __init__(self, properties: dict[str, Any], rebootstrap: Rebootstrap | None = None) -> None:
        super().__init__(properties)
        self.rebootstrap = rebootstrap or _rebootstrap(properties)

    list_topics = _after_a_look(admin.AdminClient.list_topics)
    describe_topics = _after_a_look(admin.AdminClient.describe_topics)
    describe_consumer_groups = _after_a_look(admin.AdminClient.describe_consumer_groups)
    list_consumer_group_offsets = _after_a_look(admin.AdminClient.list_consumer_group_offsets)


def _rebootstrap(properties: dict[str, Any]) -> Rebootstrap:
    return Rebootstrap(str(properties.get("bootstrap.servers", "")))
