"""A command knows what workers with a common topic have been told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.config import kafka
from worker.config.load_worker import load_worker
from worker.herding import target_of
from worker.runtime.board import Board
from worker.runtime.port import TargetState
from worker.source.mock_cluster import MockCluster
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.topic import StateTopicSpec

if TYPE_CHECKING:
    from pathlib import Path

    from worker.config.worker import WorkerConfig


def worker_of(folder: Path, **settings: str) -> WorkerConfig:
    file = folder / "worker.properties"
    file.write_text("\n".join(f"{key.replace('_', '.')}={it}" for key, it in settings.items()))
    return load_worker(file).require()


def test_what_somebody_stopped_is_stopped_for_a_command_too(tmp_path: Path) -> None:
    with MockCluster() as cluster:
        bootstrap = cluster.bootstrap_servers
        worker = worker_of(tmp_path, bootstrap_servers=bootstrap, config_storage_topic="wishes")
        topic = KafkaStateTopic(
            KafkaStateSettings(
                topic=StateTopicSpec("wishes"),
                consumer=kafka.storage_consumer_properties(worker),
                producer=kafka.storage_producer_properties(worker),
                admin=kafka.storage_admin_properties(worker),
            )
        )
        board = Board(topic, lambda _logger, _level: None)
        board.set_target("shop", TargetState.STOPPED)
        topic.close(5.0)
        assert target_of(worker, "shop") is TargetState.STOPPED
        assert target_of(worker, "stock") is TargetState.RUNNING


def test_of_workers_that_stand_alone_nobody_can_know(tmp_path: Path) -> None:
    worker = worker_of(tmp_path, bootstrap_servers="127.0.0.1:1")
    assert target_of(worker, "shop") is TargetState.RUNNING
