"""What settings mean for librdkafka: defaults, who wins, and what is ours alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import confluent_kafka
from confluent_kafka.admin import AdminClient

from tests.unit.config.tiny_plugins import read
from worker.config import kafka
from worker.config.load_worker import load_worker
from worker.config.worker import WorkerConfig
from worker.state.kafka import KafkaStateSettings, KafkaStateTopic
from worker.state.topic import StateTopicSpec

if TYPE_CHECKING:
    from worker.config.client import ClientProperties
    from worker.config.connector import ConnectorConfig


def connector(changes: dict[str, str | None] | None = None) -> ConnectorConfig:
    config = read(changes).config
    assert config is not None
    return config


def consumer(
    changes: dict[str, str | None] | None = None, worker: WorkerConfig | None = None
) -> ClientProperties:
    return kafka.consumer_properties(worker or WorkerConfig(), connector(changes), 2)


def test_the_consumers_defaults() -> None:
    assert dict(consumer()) == {
        "bootstrap.servers": "localhost:9092",
        "client.id": "connector-consumer-products-2",
        "group.id": "connect-products",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 3_000,
        "max.poll.interval.ms": 300_000,
        "queued.max.messages.kbytes": 16_384,
        "isolation.level": "read_committed",
    }


def test_the_producers_defaults() -> None:
    assert dict(kafka.producer_properties(WorkerConfig(), connector(), 0)) == {
        "bootstrap.servers": "localhost:9092",
        "client.id": "connector-dlq-producer-products-0",
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
    }


def test_the_state_topics_clients_are_quick_and_safe_whatever_is_overridden() -> None:
    config = connector(
        {"consumer.override.fetch.min.bytes": "100000", "consumer.override.client.id": "mine"}
    )
    reader = kafka.state_consumer_properties(WorkerConfig(), config)
    assert (reader["group.id"], reader["fetch.min.bytes"]) == ("connect-products", 1)
    writer = kafka.state_producer_properties(WorkerConfig(), config)
    assert (writer["acks"], writer["enable.idempotence"]) == ("all", True)
    assert writer["client.id"] == "connector-state-producer-products"


def test_a_reader_beside_the_group_names_it_and_is_no_member() -> None:
    config = connector({"consumer.override.group.protocol": "consumer"})
    worker = load_worker(environ={"CONNECT_WORKER_ID": "pod-1"}).require()
    reader = kafka.reader_properties(worker, config)
    assert (reader["group.id"], reader["isolation.level"]) == ("connect-products", "read_committed")
    assert not reader.keys() & {"group.instance.id", "group.protocol"}


def test_librdkafka_takes_all_of_them() -> None:
    confluent_kafka.Consumer(
        consumer({"consumer.override.bootstrap.servers": "127.0.0.1:1"})
    ).close()
    changes: dict[str, str | None] = {
        "consumer.override.bootstrap.servers": "127.0.0.1:1",
        "producer.override.bootstrap.servers": "127.0.0.1:1",
        "admin.override.bootstrap.servers": "127.0.0.1:1",
        "consumer.override.group.protocol": "consumer",
    }
    confluent_kafka.Consumer(consumer(changes)).close()
    confluent_kafka.Producer(kafka.producer_properties(WorkerConfig(), connector(changes), 0))
    settings = KafkaStateSettings(
        StateTopicSpec("state"),
        kafka.state_consumer_properties(WorkerConfig(), connector(changes)),
        kafka.state_producer_properties(WorkerConfig(), connector(changes)),
        kafka.admin_properties(WorkerConfig(), connector(changes)),
    )
    KafkaStateTopic(settings).close(0.1)
    confluent_kafka.Consumer(kafka.reader_properties(WorkerConfig(), connector(changes))).close()
    AdminClient(kafka.admin_properties(WorkerConfig(), connector(changes)))


def test_a_connectors_override_wins_over_the_worker_and_both_over_defaults() -> None:
    worker = load_worker(
        environ={
            "CONNECT_BOOTSTRAP_SERVERS": "k:1",
            "CONNECT_CONSUMER_MAX_POLL_INTERVAL_MS": "1",
            "CONNECT_CONSUMER_FETCH_MIN_BYTES": "2",
            "CONNECT_SECURITY_PROTOCOL": "SSL",
        }
    ).require()
    properties = consumer(
        {
            "consumer.override.max.poll.interval.ms": "3",
            "consumer.override.client.id": "mine",
        },
        worker,
    )
    assert properties["bootstrap.servers"] == "k:1"
    assert properties["max.poll.interval.ms"] == "3"
    assert properties["fetch.min.bytes"] == "2"
    assert properties["security.protocol"] == "SSL"
    assert properties["client.id"] == "mine"


def test_the_group_can_be_overridden() -> None:
    changes: dict[str, str | None] = {"consumer.override.group.id": "g"}
    assert connector(changes).group_id == "g"
    assert consumer(changes)["group.id"] == "g"


def test_a_worker_id_makes_the_membership_static_and_unique() -> None:
    worker = load_worker(environ={"CONNECT_WORKER_ID": "w-0"}).require()
    assert consumer(worker=worker)["group.instance.id"] == "w-0-products-2"
    assert "group.instance.id" not in consumer()


def test_the_new_group_protocol_leaves_out_what_belongs_to_the_classic_one() -> None:
    properties = consumer({"consumer.override.group.protocol": "consumer"})
    assert properties["group.protocol"] == "consumer"
    for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
        assert name not in properties


def test_a_session_time_out_with_the_new_group_protocol_is_an_error() -> None:
    reading = read(
        {
            "consumer.override.group.protocol": "consumer",
            "consumer.override.session.timeout.ms": "6000",
        }
    )
    assert [one.key for one in reading.problems] == ["consumer.override.session.timeout.ms"]


def test_a_short_session_gets_more_heartbeats() -> None:
    assert (
        consumer({"consumer.override.session.timeout.ms": "6000"})["heartbeat.interval.ms"] == 2000
    )
    longer = consumer({"consumer.override.session.timeout.ms": "60000"})
    assert longer["heartbeat.interval.ms"] == 3000


def test_overrides_of_one_client_do_not_reach_another() -> None:
    config = connector(
        {"producer.override.linger.ms": "7", "admin.override.socket.timeout.ms": "80"}
    )
    worker = WorkerConfig()
    assert kafka.producer_properties(worker, config, 0)["linger.ms"] == "7"
    assert kafka.admin_properties(worker, config)["socket.timeout.ms"] == "80"
    assert "linger.ms" not in kafka.consumer_properties(worker, config, 0)


def test_a_group_in_the_workers_settings_does_not_join_connectors() -> None:
    environ = {"CONNECT_CONSUMER_GROUP_ID": "all", "CONNECT_CONSUMER_GROUP_INSTANCE_ID": "one"}
    worker = load_worker(environ={**environ, "CONNECT_WORKER_ID": "w"}).require()
    properties = consumer(worker=worker)
    assert properties["group.id"] == "connect-products"
    assert properties["group.instance.id"] == "w-products-2"


def slots(worker: WorkerConfig, name: str = "products") -> ClientProperties:
    return kafka.slot_consumer_properties(worker, connector({"name": name}))


def test_the_group_that_leases_tasks_stands_beside_the_connectors_own() -> None:
    found = slots(WorkerConfig())
    assert found["group.id"] == "connect-products-slots"
    assert found["session.timeout.ms"] == 10_000
    assert "group.instance.id" not in found
    assert connector().slots_topic == "connect-products-tasks"


def test_static_members_are_in_another_order_for_each_connector() -> None:
    workers = [
        load_worker(environ={"CONNECT_WORKER_ID": f"pod-{number}"}).require() for number in range(3)
    ]
    firsts = set()
    for name in ("a", "b", "c", "d", "e", "f", "g", "h"):
        members = [str(slots(worker, name)["group.instance.id"]) for worker in workers]
        firsts.add(members.index(min(members)))
    assert firsts == {0, 1, 2}, "one worker would get the odd tasks of all connectors"
    assert slots(workers[0]) == slots(workers[0]), "another name would be another member"


def test_what_all_workers_share_is_read_without_joining_a_group() -> None:
    worker = load_worker(
        environ={
            "CONNECT_CONFIG_STORAGE_TOPIC": "vecsink-configs",
            "CONNECT_CONSUMER_FETCH_MAX_WAIT_MS": "5",
            "CONNECT_SECURITY_PROTOCOL": "SSL",
        }
    ).require()
    consumer_of = kafka.storage_consumer_properties(worker)
    assert consumer_of["group.id"] == "vecsink-configs-readers"
    assert consumer_of["fetch.wait.max.ms"] == "5"
    assert "group.instance.id" not in consumer_of
    for found in (
        consumer_of,
        kafka.storage_producer_properties(worker),
        kafka.storage_admin_properties(worker),
    ):
        assert found["security.protocol"] == "SSL"
