"""A connector's state topic: one for all its tasks here, made when somebody first needs it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from worker.config import kafka
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.topic import StateTopicSpec

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.state.port import StateTopic

_CLOSE_S = 5.0
"""For the last records; what does not arrive is spent, not lost."""


class Statehouse:
    """Who keeps something in the state topic attaches a reader to ``topic``. Thread-safe."""

    def __init__(self, worker: WorkerConfig, config: ConnectorConfig) -> None:
        self._worker = worker
        self._config = config
        self._lock = threading.Lock()
        self._topic: KafkaStateTopic | None = None

    @property
    def topic(self) -> StateTopic:
        """The topic; asking for it waits for nothing, not even for the brokers.

        Raises:
            ConfigError: librdkafka does not take the properties.
        """
        with self._lock:
            if self._topic is None:
                self._topic = KafkaStateTopic(self._settings())
            return self._topic

    def close(self) -> None:
        """Close the topic, after all that write to it."""
        if self._topic is not None:
            self._topic.close(_CLOSE_S)

    def _settings(self) -> KafkaStateSettings:
        worker, config = self._worker, self._config
        return KafkaStateSettings(
            topic=StateTopicSpec(
                config.state_topic, replication_factor=config.errors.replication_factor
            ),
            consumer=kafka.state_consumer_properties(worker, config),
            producer=kafka.state_producer_properties(worker, config),
            admin=kafka.admin_properties(worker, config),
        )
