"""What can be asked of a Kafka cluster without writing to it: topics, group, rights."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported
    AclOperation,
)

from worker.brokers import no_answer
from worker.errors import ConfigError, FatalError, RetriableError
from worker.lasting import LastingAdmin
from worker.live.check import Missing
from worker.source.failures import verdict
from worker.source.missing_topics import meant_instead_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.source.port import SpanReader
    from worker.source.subscription import Subscription

_ASK_S = 5.0
_CALM: dict[str, Any] = {"log_level": 0, "logger": logging.getLogger("worker.live.librdkafka")}
_NO_ENTRY = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - so spelt in the public API
        KafkaError._SSL,  # noqa: SLF001 - so spelt in the public API
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)


class Cluster:
    """A cluster, as an admin client sees it.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._errors: list[KafkaError] = []
        self._properties = properties
        self._servers = str(properties.get("bootstrap.servers", ""))
        heard: dict[str, Any] = {"error_cb": self._errors.append}
        try:
            self._admin = LastingAdmin({**_CALM, **properties, **heard})
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error

    def reach(self) -> str:
        """Whether it answers and lets us in.

        Raises:
            RetriableError: it does not answer.
            FatalError: it refuses us.
        """
        brokers = len(self._metadata().brokers)
        return f"{self._servers}: {brokers} broker{'s' if brokers > 1 else ''}"

    def topics(self, subscription: Subscription) -> str:
        """Whether all of them exist.

        Raises:
            Missing: one does not, or none matches.
        """
        known = self._metadata().topics
        found = subscription.select(known)
        for entry in subscription.entries:
            if not entry.startswith("^") and entry not in found:
                raise Missing(f"{entry} does not exist{meant_instead_of(entry, known)}: {_SOURCE}")
        if not found:
            raise Missing(f"no topic matches {subscription.entries[0]}: {_SOURCE}")
        self._expect_rights(found[0], AclOperation.READ, "READ")
        partitions = sum(len(known[name].partitions) for name in found)
        return f"{_several(found)}, {partitions} partitions"

    def group(self, name: str, reader: SpanReader) -> str:
        """Whether its position may be read.

        Raises:
            RetriableError, FatalError: it may not, or the brokers do not say.
        """
        left = sum(span.length for span in reader.ahead(_ASK_S).values())
        return f"{name} has {left:,} records to read"

    def writable(self, topic: str) -> str:
        """Whether a topic may be written to, or made.

        Raises:
            FatalError: it may not.
        """
        if topic in self._metadata().topics:
            self._expect_rights(topic, AclOperation.WRITE, "WRITE")
            return f"{topic} exists"
        rights = self._rights_in_cluster()
        if rights is not None and AclOperation.CREATE not in rights:
            return f"{topic} does not exist: make it, unless the user has CREATE for this topic"
        return f"{topic} will be made by the first run"

    def _metadata(self) -> Any:  # noqa: ANN401 - untyped in the library
        try:
            return self._admin.list_topics(timeout=_ASK_S)
        except KafkaException as error:
            self._admin.poll(0)  # serves the callback
            raise self._meaning(error.args[0]) from error

    def _meaning(self, error: KafkaError) -> FatalError | RetriableError:
        for heard in self._errors:
            if heard.code() in _NO_ENTRY:
                return FatalError(
                    f"{self._servers} does not let us in: {heard.str()}: check security.protocol, "
                    "sasl.* and ssl.*"
                )
        return verdict(error) or RetriableError(no_answer(self._properties))

    def _expect_rights(self, topic: str, right: AclOperation, name: str) -> None:
        asked = self._admin.describe_topics(
            TopicCollection([topic]), include_authorized_operations=True, request_timeout=_ASK_S
        )
        try:
            granted = asked[topic].result().authorized_operations
        except KafkaException as error:
            refused = verdict(error.args[0])
            if refused is not None:
                raise refused from error
            return  # an old broker: nobody knows
        if granted and right not in granted:
            raise FatalError(f"the user may not {name} {topic}: allow it")

    def _rights_in_cluster(self) -> Sequence[AclOperation] | None:
        asked = self._admin.describe_cluster(
            include_authorized_operations=True, request_timeout=_ASK_S
        )
        try:
            granted: Sequence[AclOperation] | None = asked.result().authorized_operations
        except KafkaException:
            return None  # an old broker: nobody knows
        return granted or None


_SOURCE = "is the source connector running, and has it written anything?"


def _several(topics: Sequence[str]) -> str:
    return topics[0] if len(topics) == 1 else f"{len(topics)} topics"
