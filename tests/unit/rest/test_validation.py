"""What a wrong config is answered with, in the words that clients take apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.rest.conftest import CONFIG

if TYPE_CHECKING:
    from starlette.testclient import TestClient

VALIDATE = "/connector-plugins/EmbeddingSink/config/validate"


def errors(found: dict[str, Any]) -> dict[str, list[str]]:
    values = [one["value"] for one in found["configs"]]
    return {value["name"]: value["errors"] for value in values if value["errors"]}


def test_a_good_config_has_values_and_no_errors(rest: TestClient) -> None:
    answer = rest.put(VALIDATE, json={**CONFIG, "name": "docs", "tasks.max": 2})
    found = answer.json()
    assert answer.status_code == 200
    assert set(found) == {"name", "error_count", "groups", "configs"}
    assert (found["name"], found["error_count"], errors(found)) == ("EmbeddingSink", 0, {})
    by_name = {one["value"]["name"]: one for one in found["configs"]}
    assert by_name["tasks.max"]["value"] == {
        "name": "tasks.max",
        "value": "2",
        "recommended_values": [],
        "errors": [],
        "visible": True,
    }
    assert by_name["embedder"]["value"]["recommended_values"][:2] == ["cohere", "fake"]
    assert by_name["batch.linger.ms"]["value"]["value"] == "200"
    assert by_name["batch.linger.ms"]["definition"]["importance"] == "LOW"
    assert {one["definition"]["group"] for one in found["configs"]} == set(found["groups"])
    assert "embedder.latency.ms" in by_name, "of the embedder that was chosen"
    assert "embedder.api.key" not in by_name, "of others"


def test_every_mistake_shows_at_its_setting_and_has_a_definition(rest: TestClient) -> None:
    wrong = {
        **CONFIG,
        "tasks.max": "many",
        "topics": None,
        "embedder": "cohera",
        "embedder.modle": "x",
        "document.fields": None,
        "errors.tolerance": "some",
    }
    answer = rest.put(VALIDATE, json=wrong)
    assert answer.status_code == 200
    found = answer.json()
    assert errors(found) == {
        "name": ['Missing required configuration "name" which has no default value.'],
        "tasks.max": ["Invalid value many for configuration tasks.max: Not a number of type INT"],
        "topics": [
            "Must configure one of topics or topics.regex",
            "Null value can not be supplied as the configuration value.",
        ],
        "document.fields": [
            "document.fields or document.template is needed.",
            "Null value can not be supplied as the configuration value.",
        ],
        "embedder": [
            (
                "Invalid value cohera for configuration embedder: expected one of cohere, fake, "
                "local, openai, voyage. Did you mean cohere?"
            )
        ],
        "errors.tolerance": [
            (
                "Invalid value some for configuration errors.tolerance: "
                "String must be one of: none, all"
            )
        ],
    }
    assert found["error_count"] == sum(map(len, errors(found).values()))
    assert all(one["definition"] for one in found["configs"])


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("tasks.max", "0", "Value must be at least 1"),
        ("tasks.max", "1.5", "Not a number of type INT"),
        ("metadata.text", "perhaps", "Expected value to be either true or false"),
        ("budget.usd.per.day", "x", "Not a number of type DOUBLE"),
        ("truncate.mode", "x", "String must be one of: ignore, delete, fail"),
        ("batch.max.bytes", "x", "expected a number of bytes such as 2097152, '2 MiB' or '2mb'"),
    ],
)
def test_a_reason_is_connects_where_it_has_one(
    rest: TestClient, key: str, value: str, reason: str
) -> None:
    found = rest.put(VALIDATE, json={**CONFIG, "name": "a", key: value}).json()
    assert errors(found)[key] == [f"Invalid value {value} for configuration {key}: {reason}"]


def test_a_mistyped_key_of_ours_shows_where_there_was_none(rest: TestClient) -> None:
    found = rest.put(VALIDATE, json={**CONFIG, "name": "a", "embedder.dimension": 3}).json()
    assert errors(found) == {
        "embedder.dimension": ["embedder.dimension: unknown key. Did you mean embedder.dimensions?"]
    }
    last = found["configs"][-1]
    assert (last["definition"]["name"], last["definition"]["group"]) == (
        "embedder.dimension",
        "Others",
    )
    assert found["groups"][-1] == "Others"


def test_what_others_read_is_nobodys_mistake(rest: TestClient) -> None:
    found = rest.put(VALIDATE, json={**CONFIG, "name": "a", "database.hostname": "db"}).json()
    assert found["error_count"] == 0


def test_an_invalid_config_is_refused_with_all_its_mistakes(rest: TestClient) -> None:
    body = {"name": "docs", "config": {**CONFIG, "tasks.max": "x", "max.in.flight": "0"}}
    for answer in (
        rest.post("/connectors", json=body),
        rest.put("/connectors/docs/config", json=body["config"]),
    ):
        assert answer.status_code == 400
        assert answer.json()["message"] == (
            "Connector configuration is invalid and contains the following 2 error(s):\n"
            "Invalid value x for configuration tasks.max: Not a number of type INT\n"
            "Invalid value 0 for configuration max.in.flight: Value must be at least 1\n"
            "You can also find the above list of errors at the endpoint "
            "`/connector-plugins/{connectorType}/config/validate`"
        )
    assert rest.get("/connectors").json() == []


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("EmbeddingSink", "EmbeddingSink"),
        ("EmbeddingSinkConnector", "EmbeddingSink"),
        ("EmbeddingSink", "EmbeddingSinkConnector"),
        ("io.vecsink.EmbeddingSink", "EmbeddingSink"),
        ("io.vecsink.EmbeddingSinkConnector", "io.vecsink.EmbeddingSinkConnector"),
    ],
)
def test_a_class_can_be_named_in_all_of_connects_ways(
    rest: TestClient, given: str, asked: str
) -> None:
    body = {**CONFIG, "name": "a", "connector.class": given}
    answer = rest.put(f"/connector-plugins/{asked}/config/validate", json=body)
    assert (answer.status_code, answer.json()["error_count"]) == (200, 0)
    assert rest.get(f"/connector-plugins/{asked}/config").status_code == 200


def test_a_name_that_cannot_be_a_group_is_refused(rest: TestClient) -> None:
    answer = rest.put("/connectors/a%2Fb/config", json=CONFIG)
    assert answer.status_code == 400
    assert "Invalid value a/b for configuration name" in answer.json()["message"]
    assert rest.get("/connectors/a%2Fb").json()["message"] == "Connector a/b not found"
