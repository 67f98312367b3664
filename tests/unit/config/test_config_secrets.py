"""References to secrets are filled in, and what they hold is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.config.tiny_plugins import read
from worker.config import kafka
from worker.config.problem import HIDDEN
from worker.config.secrets import references, resolve, without_url_secrets
from worker.config.worker import WorkerConfig
from worker.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-7f3a9"


def test_a_variable_is_filled_in_among_other_text() -> None:
    assert resolve("http://${env:HOST}:${env:PORT}/", {"HOST": "h", "PORT": "1"}) == "http://h:1/"


def test_a_value_is_not_searched_for_references_again() -> None:
    assert resolve("${env:A}", {"A": "${env:B}", "B": "b"}) == "${env:B}"


def test_an_entry_of_a_properties_file_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "s.properties").write_text("user=me\npass\\ word = a=b\n")
    assert resolve(f"${{file:{tmp_path}/s.properties:user}}", {}) == "me"
    assert resolve(f"${{file:{tmp_path}/s.properties:pass word}}", {}) == "a=b"


def test_a_whole_file_is_filled_in_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert resolve(f"${{file:{tmp_path}/token}}", {}) == "abc"


@pytest.mark.parametrize("text", ["${topic}", "${key}-x", "$env:A", "${}", "{{ a }}"])
def test_other_braces_stay_as_they_are(text: str) -> None:
    assert resolve(text, {}) == text


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="environment variable NOPE"):
        resolve("${env:NOPE}", {})


def test_a_missing_file_or_entry_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone"):
        resolve(f"${{file:{tmp_path}/gone:a}}", {})
    (tmp_path / "s").write_text(f"a={CANARY}")
    with pytest.raises(ConfigError, match="an entry 'b'") as caught:
        resolve(f"${{file:{tmp_path}/s:b}}", {})
    assert CANARY not in str(caught.value)


def test_an_unknown_provider_is_an_error() -> None:
    with pytest.raises(ConfigError, match="vault"):
        resolve("${vault:a:b}", {})


def test_only_references_of_a_text_may_be_shown() -> None:
    assert references("abc-${env:A}-def-${env:B}") == "${env:A}${env:B}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pw@host/x", f"http://{HIDDEN}@host/x"),
        ("http://me:p@w@host/x", f"http://{HIDDEN}@host/x"),
        ("db://h/d?sslpassword=pw&a=b", f"db://h/d?sslpassword={HIDDEN}&a=b"),
        ("https://h?a=b&api-key=k is wrong", f"https://h?a=b&api-key={HIDDEN} is wrong"),
    ],
)
def test_secrets_in_a_url_are_hidden(text: str, shown: str) -> None:
    assert without_url_secrets(text) == shown


def test_a_missing_variable_of_a_connector_names_key_and_variable_once() -> None:
    reading = read({"store.api.key": "${env:NOPE}"})
    (problem,) = reading.problems
    assert problem.key == "store.api.key"
    assert "NOPE" in problem.expected
    assert problem.value == "${env:NOPE}"


def test_references_in_a_template_are_plain_text() -> None:
    config = read({"document.fields": None, "document.template": "${env:HOME} {{ a }}"}).config
    assert config is not None
    assert config.document.template == "${env:HOME} {{ a }}"


def test_a_resolved_secret_reaches_the_plug_in_and_no_text() -> None:
    config = read({"store.api.key": "${env:KEY}"}, {"KEY": CANARY}).config
    assert config is not None
    assert config.store_config.api_key.get_secret_value() == CANARY  # type: ignore[attr-defined]  # the tiny plug-in's own section
    shown = f"{config!r} {config} {config.store_config!r} {config.store_config} {config.raw}"
    assert CANARY not in shown


def test_a_value_that_is_no_secret_by_its_key_but_by_its_reference_is_not_shown() -> None:
    reading = read({"store.url": "${env:URL}"}, {"URL": CANARY})
    (problem,) = reading.problems
    assert problem.key == "store.url"
    assert problem.value == "${env:URL}"
    assert CANARY not in repr(reading)
    assert HIDDEN in problem.expected


def test_a_literal_secret_in_a_plug_ins_own_message_is_hidden() -> None:
    reading = read({"store.api.key": f"bad-{CANARY}"})
    assert [problem.key for problem in reading.problems] == ["store.api.key"]
    assert CANARY not in repr(reading)


@pytest.mark.parametrize(
    "changes",
    [
        {"store.api.kye": CANARY},
        {"embedder.api.key": CANARY},
        {"reselect.password": CANARY},
        {"reselect.url": f"postgresql://me:{CANARY}@host/shop"},
        {"store": "pinecoen", "store.api.key": CANARY},
        {"value.converter.basic.auth.user.info": CANARY},
        {"value.converter.schema.registry.url": f"ftp://me:{CANARY}@host"},
        {"consumer.override.sasl.pasword": CANARY},
        {"consumer.override.sasl.jaas.config": f'x.Login required password="{CANARY}";'},
        {"transforms.a.password": CANARY},
        {"tasks.max": "x", "store.api.key": CANARY},
    ],
)
def test_no_problem_shows_what_was_written_for_a_secret(changes: dict[str, str]) -> None:
    reading = read(changes)
    assert reading.problems
    assert CANARY not in repr(reading.problems)
    assert CANARY not in " ".join(str(problem) for problem in reading.problems)


def test_kafka_properties_show_names_only() -> None:
    config = read({"consumer.override.sasl.password": "${env:P}"}, {"P": CANARY}).config
    assert config is not None
    properties = kafka.consumer_properties(WorkerConfig(), config, 0)
    assert properties["sasl.password"] == CANARY
    assert CANARY not in f"{properties} {properties!r} {config.consumer!r}"
    assert "sasl.password" in repr(properties)


@pytest.mark.parametrize("mask", ["******", "****"])
def test_the_mask_of_a_user_interface_is_not_taken_for_a_secret(mask: str) -> None:
    (problem,) = read({"store.api.key": mask}).problems
    assert "mask" in problem.expected
