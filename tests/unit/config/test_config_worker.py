"""The worker's settings from a file, from variables, and from both."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from worker.config.load_worker import load_worker, variables
from worker.config.worker import WorkerConfig
from worker.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_https_listener_needs_a_certificate() -> None:
    environ = {"CONNECT_LISTENERS": "https://:8443"}
    with pytest.raises(ConfigError, match=r"listeners: .*ssl\.certificate\.location"):
        load_worker(environ=environ).require()
    environ["CONNECT_LISTENERS_HTTPS_SSL_CERTIFICATE_LOCATION"] = "/tls.pem"
    worker = load_worker(environ=environ).require()
    assert worker.listeners == (("", 8443, "https"),)
    assert worker.settings.certificate == "/tls.pem"


def test_other_pods_find_this_one_where_it_listens_unless_told_otherwise() -> None:
    environ = {"CONNECT_LISTENERS": "http://127.0.0.1:8083"}
    assert load_worker(environ=environ).require().advertised == ("127.0.0.1", 8083, "http")
    environ |= {
        "CONNECT_REST_ADVERTISED_HOST_NAME": "pod-0.vecsink",
        "CONNECT_REST_ADVERTISED_PORT": "80",
    }
    assert load_worker(environ=environ).require().advertised == ("pod-0.vecsink", 80, "http")
    assert load_worker(environ={"CONNECT_LISTENERS": ""}).require().advertised is None
    everywhere = load_worker(environ={"CONNECT_LISTENERS": "http://:1"}).require().advertised
    assert everywhere == (socket.gethostname(), 1, "http")


@pytest.mark.parametrize("wrong", ["user", "user:", ":password"])
def test_a_user_has_a_name_and_a_password(wrong: str) -> None:
    environ = {"CONNECT_REST_BASIC_AUTH_USER_INFO": wrong}
    with pytest.raises(ConfigError, match=r"rest\.basic\.auth\.user\.info: expected user:password"):
        load_worker(environ=environ).require()


def test_connects_own_way_to_ask_for_passwords_is_not_passed_over() -> None:
    environ = {"CONNECT_REST_EXTENSION_CLASSES": "a.BasicAuthSecurityRestExtension"}
    with pytest.raises(ConfigError, match=r"rest\.extension\.classes: unknown key"):
        load_worker(environ=environ).require()


def test_without_anything_all_have_their_defaults() -> None:
    for worker in (WorkerConfig(), load_worker(environ={}).require()):
        assert worker.bootstrap_servers == "localhost:9092"
        assert worker.worker_id is None
        assert worker.shutdown_timeout_s == 30.0
        assert (worker.log_level, worker.log_format) == ("INFO", "text")
        assert (worker.listeners, worker.chose_listeners) == (
            (("localhost", 8083, "http"),),
            False,
        )
        assert not worker.common
        assert not worker.converters


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("CONNECT_BOOTSTRAP_SERVERS", "bootstrap.servers"),
        ("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL", "value.converter.schema.registry.url"),
        ("CONNECT_A__B___C_D", "a-b_c.d"),
    ],
)
def test_a_variable_names_a_key_as_in_connects_images(variable: str, key: str) -> None:
    assert variables({variable: "x", "OTHER": "y", "CONNECT_": "z"}) == {key: "x"}


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "worker.properties"
    file.write_text("bootstrap.servers=a:1\nworker.id=w-1\nlog.level=warn\n")
    worker = load_worker(file, {"CONNECT_BOOTSTRAP_SERVERS": "b:2"}).require()
    assert worker.bootstrap_servers == "b:2"
    assert worker.worker_id == "w-1"
    assert worker.log_level == "WARN"


def test_client_settings_go_to_their_clients(tmp_path: Path) -> None:
    file = tmp_path / "worker.properties"
    file.write_text(
        "security.protocol=SASL_SSL\n"
        "sasl.mechanism=PLAIN\n"
        'sasl.jaas.config=a.PlainLoginModule required username="${env:U}" password="p";\n'
        "consumer.fetch.min.bytes=1\nproducer.linger.ms=2\nadmin.socket.timeout.ms=30\n"
        "key.converter=json\nvalue.converter=avro\nvalue.converter.schema.registry.url=${env:R}\n"
        "group.id=connect-cluster\nplugin.path=/x\n"
    )
    worker = load_worker(file, {"U": "me"}).require()
    assert dict(worker.common) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
        "sasl.password": "p",
    }
    assert dict(worker.consumer) == {"fetch.min.bytes": "1"}
    assert dict(worker.producer) == {"linger.ms": "2"}
    assert dict(worker.admin) == {"socket.timeout.ms": "30"}
    assert worker.converters["value.converter.schema.registry.url"] == "${env:R}"


@pytest.mark.parametrize(
    ("text", "key", "suggestion"),
    [
        ("worker.idd=a", "worker.idd", "worker.id"),
        ("log.levle=a", "log.levle", "log.level"),
        ("log.format=yaml", "log.format", None),
        ("log.format=txt", "log.format", "text"),
        ("worker.id=a b", "worker.id", None),
        ("shutdown.timeout.ms=soon", "shutdown.timeout.ms", None),
        ("bootstrap.servers=${env:NOPE}", "bootstrap.servers", None),
        ("consumer.enable.auto.commit=true", "consumer.enable.auto.commit", None),
        ("ssl.truststore.location=/x.jks", "ssl.truststore.location", None),
    ],
)
def test_a_mistake_names_its_key(
    tmp_path: Path, text: str, key: str, suggestion: str | None
) -> None:
    file = tmp_path / "worker.properties"
    file.write_text(text)
    loaded = load_worker(file, {})
    (found,) = loaded.problems
    assert (found.file, found.key, found.suggestion) == (str(file), key, suggestion)
    with pytest.raises(ConfigError, match=key):
        loaded.require()


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("bootstrap.server", "bootstrap.servers"),
        ("rest.port", "listeners"),
        ("config.storage.topics", "config.storage.topic"),
        ("security.protocl", "security.protocol"),
        ("value.convertor", "value.converter"),
    ],
)
def test_a_slip_that_connect_would_ignore_is_warned_of(
    tmp_path: Path, slip: str, meant: str
) -> None:
    file = tmp_path / "worker.properties"
    file.write_text(f"{slip}=secret:9")
    environ = {f"CONNECT_{slip.replace('.', '_').upper()}": "secret:9"}
    for loaded in (load_worker(file, {}), load_worker(environ=environ)):
        (found,) = loaded.warnings
        assert (found.key, found.suggestion, found.value) == (slip, meant, None)
        assert loaded.require().bootstrap_servers == "localhost:9092"


def test_what_connects_images_set_is_no_slip() -> None:
    theirs = """
        GROUP_ID CONFIG_STORAGE_TOPIC OFFSET_STORAGE_TOPIC OFFSET_STORAGE_REPLICATION_FACTOR
        OFFSET_STORAGE_PARTITIONS STATUS_STORAGE_TOPIC STATUS_STORAGE_REPLICATION_FACTOR
        STATUS_STORAGE_PARTITIONS OFFSET_FLUSH_INTERVAL_MS REST_ADVERTISED_LISTENER
        INTERNAL_KEY_CONVERTER INTERNAL_VALUE_CONVERTER HEADER_CONVERTER PLUGIN_PATH
        LOG4J_ROOT_LOGLEVEL LOG4J_LOGGERS CUB_KAFKA_TIMEOUT ZOOKEEPER_CONNECT SESSION_TIMEOUT_MS
        TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS CONNECTOR_CLIENT_CONFIG_OVERRIDE_POLICY
        TOPIC_CREATION_ENABLE
    """
    environ = {f"CONNECT_{name}": "x" for name in theirs.split()}
    assert load_worker(environ=environ).problems == ()


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone: cannot be read: No such file or directory"):
        load_worker(tmp_path / "gone", {}).require()
    broken = tmp_path / "broken"
    broken.write_text("a=\\u1")
    with pytest.raises(ConfigError, match="line 1"):
        load_worker(broken, {}).require()


def test_nothing_of_a_worker_shows_a_secret() -> None:
    environ = {"CONNECT_SASL_PASSWORD": "canary", "CONNECT_BOOTSTRAP_SERVERS": "canary:1"}
    loaded = load_worker(environ=environ)
    assert loaded.require().common["sasl.password"] == "canary"
    assert "canary" not in repr(loaded)
    assert "canary" not in repr(loaded.require().settings)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("http://localhost:8083", [("localhost", 8083, "http")]),
        ("HTTP://:9000", [("", 9000, "http")]),
        (
            "http://0.0.0.0:1,http://[::1]:2",
            [("0.0.0.0", 1, "http"), ("::1", 2, "http")],
        ),
        ("", []),
    ],
)
def test_listeners_are_written_as_for_connect(
    written: str, expected: list[tuple[str, int, str]]
) -> None:
    worker = load_worker(environ={"CONNECT_LISTENERS": written}).require()
    assert list(worker.listeners) == expected
    assert worker.chose_listeners


@pytest.mark.parametrize("written", ["localhost:8083", "ftp://a:1", "http://a", "http://a:x"])
def test_a_listener_that_is_no_address_is_a_mistake(written: str) -> None:
    with pytest.raises(ConfigError, match=r"listeners.*http://host:port"):
        load_worker(environ={"CONNECT_LISTENERS": written}).require()
