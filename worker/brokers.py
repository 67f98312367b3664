"""What is said where no Kafka broker answers, which every client finds out in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL_DOWN: Final = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 - so spelt in the public API
_SILENCE: Final = frozenset(
    {
        ALL_DOWN,
        KafkaError._RESOLVE,  # noqa: SLF001 - so spelt in the public API
        KafkaError._TIMED_OUT,  # noqa: SLF001 - so spelt in the public API
        KafkaError._TRANSPORT,  # noqa: SLF001 - so spelt in the public API
    }
)

_FENCED: Final = "All brokers are currently fenced"


def is_silence(error: KafkaError) -> bool:
    """Whether no broker has answered, rather than one has refused."""
    return error.code() in _SILENCE


def is_fenced(error: KafkaError) -> bool:
    """Whether a topic cannot be made because the cluster is about to start or to end.

    Its brokers are known and none of them serves yet, for which KRaft's controller has the code of
    a replication factor that is too high (``StripedReplicaPlacer``).
    """
    return error.code() == KafkaError.INVALID_REPLICATION_FACTOR and _FENCED in error.str()


def no_answer(properties: Mapping[str, object]) -> str:
    """The sentence, for a client with these properties of librdkafka."""
    servers = properties.get("bootstrap.servers", "its brokers")
    return (
        f"Kafka at {servers} does not answer: check bootstrap.servers, and whether the brokers run"
    )
