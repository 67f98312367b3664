"""The compose file holds together, as far as can be seen without Docker."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from worker.checks import CHECKS
from worker.config.load import load
from worker.config.load_worker import load_worker

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.debezium.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KNOWN_KEYS = {
    "build", "command", "depends_on", "environment", "healthcheck", "image", "ports", "restart",
    "stop_grace_period", "volumes",
}  # fmt: skip
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries"}
CONDITIONS = {"service_healthy", "service_completed_successfully"}
READ_BY = {
    "postgres": r"POSTGRES_(DB|PASSWORD)",
    "mysql": r"MYSQL_ROOT_PASSWORD",
    "kafka": r"KAFKA_[A-Z_]+",
    "registry": r"SCHEMA_REGISTRY_[A-Z_]+",
    "connect": r"CONNECT_[A-Z_]+",
}
"""What each image turns into settings; our own services are checked against the program."""


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_only_keys_of_the_compose_specification(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= KNOWN_KEYS
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    if "healthcheck" in service:
        assert set(service["healthcheck"]) == HEALTHCHECK_KEYS
        assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_tag_that_stays(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert tag != "latest"
    assert "build" in SERVICES[name] or re.search(r"\d+\.\d+", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_services_that_can_say_when_they_are_ready(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert wait["condition"] in CONDITIONS
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert "restart" not in SERVICES[other]


def test_what_is_mounted_and_built_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, _, mode = volume.rpartition(":")
            assert mode == "ro"
            assert (ROOT / source.partition(":")[0]).exists(), volume
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_what_the_image_copies_is_not_ignored() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", _read("deploy/Dockerfile"), re.MULTILINE)
    allowed = set(_read("deploy/Dockerfile.dockerignore").split())
    for source in " ".join(copied).split():
        assert (ROOT / source).exists()
        assert f"!{source}" in allowed


def test_no_port_is_open_to_other_machines() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", READ_BY)
def test_the_variables_of_a_server_are_ones_that_its_image_reads(name: str) -> None:
    for variable in SERVICES[name]["environment"]:
        assert re.fullmatch(READ_BY[name], variable)


def test_every_variable_of_the_worker_is_read_by_it() -> None:
    environment = SERVICES["worker"]["environment"]
    loaded = load_worker(environ=environment)
    assert loaded.problems == ()
    texts = "".join(file.read_text() for file in _connector_files())
    for variable in environment:
        assert variable.startswith("CONNECT_") or f"${{env:{variable}}}" in texts


def test_a_wrong_variable_of_the_worker_would_be_noticed() -> None:
    environment = {**SERVICES["worker"]["environment"], "CONNECT_SHUTDOWN_TIMEUOT_MS": "1"}
    assert load_worker(environ=environment).problems != ()


def test_every_variable_of_the_setup_is_read_by_its_script() -> None:
    script = _read("deploy/setup.sh")
    for variable in SERVICES["setup"]["environment"]:
        assert f"${variable}" in script
    for variable in set(re.findall(r"\$([A-Z_]+)", script)):
        assert variable in SERVICES["setup"]["environment"]


def test_the_connectors_are_valid_in_the_workers_environment() -> None:
    environment = SERVICES["worker"]["environment"]
    worker = load_worker(environ=environment).require()
    loaded = load(_connector_files(), worker=worker, environ=environment, checks=CHECKS)
    assert loaded.problems == ()
    assert len(loaded.connectors) == len(_connector_files())
    for connector in loaded.connectors:
        assert connector.value_converter.urls == ("http://registry:8081",)


def test_the_connectors_read_topics_that_debezium_writes() -> None:
    written = set()
    for file in (ROOT / "deploy" / "debezium").glob("*.json"):
        config = json.loads(file.read_text())
        tables = config["table.include.list"].split(",")
        written |= {f"{config['topic.prefix']}.{table}" for table in tables}
    for file in _connector_files():
        assert json.loads(file.read_text())["topics"] in written


def test_debezium_looks_for_services_of_the_compose_file() -> None:
    for file in (ROOT / "deploy" / "debezium").glob("*.json"):
        config = json.loads(file.read_text())
        assert config["database.hostname"] in SERVICES
        history = config.get("schema.history.internal.kafka.bootstrap.servers", "kafka:9092")
        assert history == "kafka:9092"


def _connector_files() -> list[Path]:
    return sorted((ROOT / "deploy" / "connectors").glob("*.json"))


def _read(path: str) -> str:
    return (ROOT / path).read_text()
