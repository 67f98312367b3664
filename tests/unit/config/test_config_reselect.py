"""The settings of the source database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.config.tiny_plugins import VALID, read, surroundings
from worker.build import reselector
from worker.checks import check_reselect
from worker.config.problem import Severity
from worker.config.read import read_connector
from worker.reselect.postgres import PostgresReselector

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig

URL = "postgresql://db.example:5432/shop?sslmode=verify-full"


def valid(changes: dict[str, str | None]) -> ConnectorConfig:
    reading = read(changes)
    assert reading.config is not None, reading.problems
    return reading.config


def test_nothing_is_read_by_default() -> None:
    config = valid({})
    assert config.reselect.url is None
    assert reselector(config) is None


def test_an_address_is_enough() -> None:
    config = valid({"reselect.url": URL})
    settings = config.reselect
    assert (settings.url, settings.user, settings.password) == (URL, None, None)
    assert (settings.timeout_s, settings.max_connections) == (5.0, 2)
    made = reselector(config)
    assert isinstance(made, PostgresReselector)
    made.close()


@pytest.mark.parametrize("url", ["postgres://host/shop", "postgresql://a:1,b:2/shop"])
def test_addresses_are_those_of_libpq(url: str) -> None:
    assert valid({"reselect.url": url}).reselect.url == url


@pytest.mark.parametrize(
    "url",
    [
        "db.example:5432/shop",
        "mysql://host/shop",
        "postgresql://host:5432",
        "postgresql://host/",
        "postgresql://me@host/shop",
        "postgresql://me:secret@host/shop",
        "postgresql://host/shop?password=secret",
        "postgresql://host/shop?sslmode=require&user=me",
    ],
)
def test_other_addresses_are_refused_and_show_no_password(url: str) -> None:
    reading = read({"reselect.url": url})
    (found,) = reading.problems
    assert (found.key, found.is_error) == ("reselect.url", True)
    assert "me:secret" not in str(found)


def test_a_parameter_that_libpq_does_not_know_is_found_before_a_start() -> None:
    raw = {**VALID, "reselect.url": "postgresql://host/shop?sslmoed=require"}
    (found,) = read_connector(raw, surroundings(checks=(check_reselect,))).problems
    assert found.key == "reselect.url"
    assert "sslmoed" in found.expected


@pytest.mark.parametrize("key", ["reselect.user", "reselect.password", "reselect.timeout.ms"])
def test_without_an_address_the_other_keys_are_pointless(key: str) -> None:
    (found,) = read({key: "1"}).problems
    assert (found.key, found.severity) == (key, Severity.WARNING)


def test_json_without_schemas_has_no_types_to_be_equal_to() -> None:
    json = {"value.converter": "json", "value.converter.schemas.enable": "false"}
    plain = {"value.converter.schema.registry.url": None, **json}
    (found,) = read({"reselect.url": URL, **plain}).problems
    assert (found.key, found.is_error) == ("reselect.url", True)
    valid({"reselect.url": URL, **plain, "value.converter.schemas.enable": "true"})
