"""What an error of librdkafka means for a consumer: wait for its end, or give up with advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaError

from worker.errors import FatalError

if TYPE_CHECKING:
    from worker.clock import Clock

_READ = "allow the user READ on the topics and on the consumer group"
_ALONE = (
    "another member uses the same group.instance.id: give every worker its own worker.id, "
    "or leave it out"
)
_ALIKE = (
    "the group's other members rebalance in another way: stop them, or read with another group.id"
)
_ADVICE = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: _READ,
    KafkaError.GROUP_AUTHORIZATION_FAILED: _READ,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: _READ,
    KafkaError.FENCED_INSTANCE_ID: _ALONE,
    KafkaError.UNRELEASED_INSTANCE_ID: _ALONE,
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: _ALIKE,
    KafkaError.GROUP_MAX_SIZE_REACHED: "the group is full: lower tasks.max or group.max.size",
    KafkaError.INVALID_SESSION_TIMEOUT: (
        "the broker takes session.timeout.ms only from group.min.session.timeout.ms "
        "to group.max.session.timeout.ms"
    ),
    KafkaError.TOPIC_EXCEPTION: "a topic's name is not valid",
    KafkaError.UNSUPPORTED_VERSION: "the broker is too old for one of the settings",
    KafkaError.UNSUPPORTED_SASL_MECHANISM: "the broker does not know this sasl.mechanism",
    KafkaError._UNSUPPORTED_FEATURE: "the broker is too old for one of the settings",  # noqa: SLF001 - so spelt in the public API
    KafkaError._AUTO_OFFSET_RESET: (  # noqa: SLF001 - so spelt in the public API
        "the group has no valid offset and auto.offset.reset=none forbids to begin anywhere: "
        "set the group's offsets, or auto.offset.reset=earliest"
    ),
}
_REFUSALS = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - so spelt in the public API
        KafkaError._SSL,  # noqa: SLF001 - so spelt in the public API
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)
_FIRST_PATIENCE_S = 5.0
_LATER_PATIENCE_S = 60.0
_STREAK_GAP_S = 45.0
"""librdkafka repeats an error that lasts every 30 seconds."""


def verdict(error: KafkaError) -> FatalError | None:
    """The error to stop with; None if it is an outage, or harmless."""
    advice = _ADVICE.get(error.code())
    if advice is not None:
        return FatalError(f"Kafka refuses: {error.str()} ({error.name()}): {advice}")
    if error.fatal():
        return FatalError(f"the Kafka client cannot go on: {error.str()} ({error.name()})")
    return None


class Refusals:
    """Failed logins and TLS handshakes: fatal at the start, and later when they last.

    A broker that has just started may refuse users that it has not loaded yet, so a worker that
    has been let in before gets more patience.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._has_been_let_in = False
        self._text = ""
        self._first_s: float | None = None
        self._last_s = 0.0

    def note(self, error: KafkaError) -> None:
        """Take note of an error if it is a refusal."""
        if error.code() not in _REFUSALS:
            return
        now_s = self._clock.now_s()
        if self._first_s is None or now_s - self._last_s > _STREAK_GAP_S:
            self._first_s = now_s
        self._last_s = now_s
        self._text = f"{error.str()} ({error.name()})"

    def let_in(self) -> None:
        """The cluster works with us."""
        self._has_been_let_in = True
        self._first_s = None

    def check(self) -> None:
        """Stop if the refusals last.

        Raises:
            FatalError: they do.
        """
        if self._first_s is None:
            return
        until_s = self._last_s if self._has_been_let_in else self._clock.now_s()
        patience_s = _LATER_PATIENCE_S if self._has_been_let_in else _FIRST_PATIENCE_S
        if until_s - self._first_s >= patience_s:
            raise FatalError(
                f"Kafka does not let us in: {self._text}: check security.protocol, sasl.* and ssl.*"
            )
