"""Secrets never come out, and their masks never go in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rest.conftest import CONFIG
from worker.config.read import Plugins
from worker.rest.masking import Masking

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.unit.rest.memory_herder import MemoryHerder

SECRETS = {
    "embedder": "cohere",
    "embedder.api.key": "canary-1",
    "store": "pinecone",
    "store.api.key": "canary-2",
    "store.index": "products",
    "consumer.override.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="u" password="canary-3";'
    ),
    "consumer.override.sasl.mechanism": "PLAIN",
    "producer.override.ssl.key.password": "canary-4",
    "database.password": "canary-5",
    "value.converter": "avro",
    "value.converter.schema.registry.url": "http://user:canary-6@registry:8081",
    "value.converter.basic.auth.user.info": "user:canary-7",
    "some.url": "https://canary-8:x@host/path?password=canary-12",
    "reselect.password": "canary-9",
    "some.Token": "canary-10",
}
REGISTRY = "value.converter.schema.registry.url"
FULL = {**CONFIG, **SECRETS}


@pytest.fixture
def masking() -> Masking:
    return Masking(Plugins())


def test_no_answer_shows_a_secret(rest: TestClient, herder: MemoryHerder) -> None:
    answers = [
        rest.put("/connectors/docs/config", json=FULL),
        rest.put("/connectors/docs/config", json={**FULL, "tasks.max": "x"}),
        rest.patch("/connectors/docs/config", json={"embedder.api.key": "canary-11"}),
        rest.put("/connector-plugins/EmbeddingSink/config/validate", json={**FULL, "name": "docs"}),
        *(
            rest.get(f"/connectors{path}")
            for path in (
                "?expand=info",
                "/docs",
                "/docs/config",
                "/docs/tasks",
                "/docs/status",
            )
        ),
    ]
    assert [one.status_code for one in answers] == [201, 400, 200, 200, 200, 200, 200, 200, 200]
    assert "canary" not in "".join(one.text for one in answers)
    assert herder.connector("docs").config["embedder.api.key"] == "canary-11"


def test_references_are_shown_as_they_are_written(rest: TestClient, herder: MemoryHerder) -> None:
    referring = {
        **CONFIG,
        "embedder": "cohere",
        "embedder.api.key": "${env:API_KEY}",
        "x.url": "http://user:${env:API_KEY}@host?token=${env:API_KEY}",
    }
    made = rest.put("/connectors/docs/config", json=referring)
    assert made.status_code == 201, made.text
    assert made.json()["config"] == {**referring, "name": "docs"}
    assert rest.get("/connectors/docs/config").json() == {**referring, "name": "docs"}
    checked = rest.put("/connector-plugins/EmbeddingSink/config/validate", json=referring)
    values = {one["value"]["name"]: one["value"]["value"] for one in checked.json()["configs"]}
    assert values["embedder.api.key"] == "${env:API_KEY}"
    assert "resolved-canary" not in checked.text


def test_what_is_missing_in_a_reference_is_said_without_the_rest(rest: TestClient) -> None:
    wrong = {**CONFIG, "embedder": "cohere", "embedder.api.key": "canary${env:NOBODY}"}
    message = rest.put("/connectors/docs/config", json=wrong).json()["message"]
    assert "embedder.api.key" in message
    assert "NOBODY" in message
    assert "canary" not in message


@pytest.mark.parametrize("mask", ["[hidden]", "******"])
def test_a_mask_that_comes_back_stands_for_what_is_there(
    rest: TestClient, herder: MemoryHerder, mask: str
) -> None:
    rest.put("/connectors/docs/config", json=FULL)
    shown = rest.get("/connectors/docs/config").json()
    masked = {key: mask if value == "[hidden]" else value for key, value in shown.items()}
    assert mask in masked.values()
    assert rest.put("/connectors/docs/config", json={**masked, "tasks.max": "5"}).status_code == 200
    assert herder.connector("docs").config == {**FULL, "name": "docs", "tasks.max": "5"}


def test_a_mask_of_a_setting_that_is_no_secret_stands_for_it_too(
    rest: TestClient, herder: MemoryHerder
) -> None:
    rest.put("/connectors/docs/config", json={**CONFIG, "x.id": "1"})
    rest.patch("/connectors/docs/config", json={"x.id": "*****"})
    assert herder.connector("docs").config["x.id"] == "1"


def test_a_mask_of_nothing_is_refused(rest: TestClient) -> None:
    for mask in ("******", "[hidden]"):
        config = {**CONFIG, "embedder": "cohere", "embedder.api.key": mask}
        answer = rest.put("/connectors/docs/config", json=config)
        assert answer.status_code == 400, mask
        assert "embedder.api.key" in answer.json()["message"]


@pytest.mark.parametrize(
    ("key", "mask"),
    [
        ("consumer.override.sasl.password", "[hidden]"),
        ("consumer.override.sasl.password", "******"),
        ("some.token", "***"),
        ("some.url", "https://[hidden]@host"),
        ("some.url", "https://host?token=[hidden]"),
    ],
)
def test_so_is_a_mask_of_a_secret_that_is_one_by_its_name_or_in_a_url(
    rest: TestClient, key: str, mask: str
) -> None:
    answer = rest.put("/connectors/docs/config", json={**CONFIG, key: mask})
    assert answer.status_code == 400
    assert f"for configuration {key}: the secret itself" in answer.json()["message"]


def test_a_masked_url_with_another_host_is_refused(rest: TestClient) -> None:
    rest.put("/connectors/docs/config", json={**CONFIG, "some.url": "https://u:p@host"})
    same, other = (
        rest.patch("/connectors/docs/config", json={"some.url": f"https://[hidden]@{host}"})
        for host in ("host", "other")
    )
    assert (same.status_code, other.status_code) == (200, 400)


def test_the_validation_of_a_shown_config_finds_what_it_stands_for(rest: TestClient) -> None:
    rest.put("/connectors/docs/config", json=FULL)
    shown = rest.get("/connectors/docs/config").json()
    found = rest.put("/connector-plugins/EmbeddingSink/config/validate", json=shown).json()
    assert found["error_count"] == 0


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("tasks.max", "1", "1"),
        ("document.template", "https://a:b@c", "https://a:b@c"),
        ("key.converter", "json", "json"),
        ("document.chunk.tokens", "100", "100"),
        ("max.in.flight.token", "", ""),
        ("x.ssl.keystore.key", "pem", "[hidden]"),
        ("x.ssl.key.location", "/tls/key.pem", "/tls/key.pem"),
        ("x.passwords", "many", "many"),
        ("x", "see https://user:pw@host/ and //a@b", "see https://[hidden]@host/ and //[hidden]@b"),
        ("x", "//user:${env:A}@host //user:pw@host", "//user:${env:A}@host //[hidden]@host"),
        ("api_key", "k", "[hidden]"),
        (REGISTRY, "http://registry:8081", "http://registry:8081"),
        (REGISTRY, "http://a,http://u:p@b", "http://a,http://[hidden]@b"),
        (REGISTRY, "http://a?token=t", "http://a?token=[hidden]"),
        (REGISTRY, "${env:REGISTRY}", "${env:REGISTRY}"),
        ("x.url", "https://user:p@w@host/", "https://[hidden]@host/"),
        ("x.url", "db://h/d?user=u&password=pw&a=b", "db://h/d?user=u&password=[hidden]&a=b"),
        ("x.url", "db://h/d?sslPassword=pw", "db://h/d?sslPassword=[hidden]"),
        ("x.url", "https://h?api-key=k&X_TOKEN=t", "https://h?api-key=[hidden]&X_TOKEN=[hidden]"),
        (
            "x.url",
            "db://h/d?password=${env:A}&token=t",
            "db://h/d?password=${env:A}&token=[hidden]",
        ),
        ("x", "//${env:U}:${env:A}@h //${env:A}@h", "//${env:U}:${env:A}@h //${env:A}@h"),
        ("x", "//u:p@h?a=${env:A}@b //u:p${env:A}@h", "//[hidden]@b //[hidden]@h"),
        ("x.url", "db://h/d?sslkey=&monkeys=2", "db://h/d?sslkey=&monkeys=2"),
    ],
)
def test_a_value_is_shown_or_not(masking: Masking, key: str, value: str, shown: str) -> None:
    assert masking.shown({key: value}) == {key: shown}


KEYS = st.sampled_from([*FULL, "document.template", "x.key", "x.url", "x"])
VALUES = st.one_of(
    st.text(),
    st.sampled_from(
        ["[hidden]", "${env:A}", "http://u:p@h", "//u:${env:A}@h", "a${env:A}b", "a?b.key=c"]
    ),
)


@given(config=st.dictionaries(KEYS, VALUES))
def test_what_is_shown_and_sent_back_is_what_was_there(config: dict[str, str]) -> None:
    masking = Masking(Plugins())
    shown = masking.shown(config)
    assert shown.keys() == config.keys()
    assert masking.restored(shown, config) == config
    assert masking.restored(config, config) == config


def test_what_is_shown_is_json_of_text(masking: Masking) -> None:
    assert json.dumps(masking.shown(FULL)).count("canary") == 0
