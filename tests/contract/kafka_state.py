"""The contract's group over anything that speaks Kafka."""

from __future__ import annotations

from tests.contract.kafka_cluster import QUIET
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.topic import StateTopicSpec


class KafkaGroup:
    """``name`` is the topic; it need not exist."""

    def __init__(self, bootstrap: str, name: str, *, append_timeout_s: float = 10.0) -> None:
        self.name = name
        self._append_timeout_s = append_timeout_s
        self._common = {"bootstrap.servers": bootstrap, **QUIET}
        self._pods: list[KafkaStateTopic] = []

    def pod(self, replication_factor: int = -1) -> KafkaStateTopic:
        # The mock cluster answers a fetch that found nothing only when its time is over.
        consumer = {**self._common, "group.id": f"{self.name}-group", "fetch.wait.max.ms": 5}
        made = KafkaStateTopic(
            KafkaStateSettings(
                StateTopicSpec(self.name, replication_factor),
                consumer,
                self._common,
                self._common,
                append_timeout_s=self._append_timeout_s,
            )
        )
        self._pods.append(made)
        return made

    def close(self) -> None:
        for pod in self._pods:
            pod.close(5.0)
