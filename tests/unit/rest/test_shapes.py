"""The JSON of every answer, key for key as Connect's own entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.rest.conftest import CONFIG

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.unit.rest.memory_herder import MemoryHerder

STORED = {**CONFIG, "name": "docs"}
RUNNING = {"state": "RUNNING", "worker_id": "pod-0:8083", "version": "0.1.0"}
TASKS = [{"connector": "docs", "task": 0}, {"connector": "docs", "task": 1}]
INFO = {"name": "docs", "config": STORED, "tasks": TASKS, "type": "sink"}
STATUS = {
    "name": "docs",
    "connector": RUNNING,
    "tasks": [{"id": 0, **RUNNING}, {"id": 1, **RUNNING}],
    "type": "sink",
}
TASK_CONFIG = {**STORED, "task.class": "EmbeddingSinkTask"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/connectors", ["docs"]),
        ("/connectors?expand=info", {"docs": {"info": INFO}}),
        ("/connectors?expand=status", {"docs": {"status": STATUS}}),
        ("/connectors?expand=info&expand=status", {"docs": {"info": INFO, "status": STATUS}}),
        ("/connectors?expand=all", {"docs": {}}),
        ("/connectors/docs", INFO),
        ("/connectors/docs/config", STORED),
        ("/connectors/docs/status", STATUS),
        ("/connectors/docs/tasks", [{"id": one, "config": TASK_CONFIG} for one in TASKS]),
        ("/connectors/docs/tasks/1/status", {"id": 1, **RUNNING}),
        ("/connectors/docs/topics", {"docs": {"topics": ["a", "b"]}}),
        ("/connectors/nobody/topics", {"nobody": {"topics": []}}),
        (
            "/connectors/docs/offsets",
            {
                "offsets": [
                    {
                        "partition": {"kafka_topic": "a", "kafka_partition": 3},
                        "offset": {"kafka_offset": 42},
                    }
                ]
            },
        ),
        (
            "/connector-plugins",
            [{"class": "EmbeddingSink", "type": "sink", "version": "0.1.0"}],
        ),
        (
            "/health",
            {
                "status": "healthy",
                "message": "Worker has completed startup and is ready to handle requests.",
            },
        ),
        ("/health/live", {"status": "healthy", "message": "Worker is alive."}),
        (
            "/",
            {
                "version": "4.3.1+vecsink.0.1.0",
                "commit": "vecsink-0.1.0",
                "kafka_cluster_id": "cluster-1",
            },
        ),
    ],
)
@pytest.mark.usefixtures("docs")
def test_an_answer_has_these_keys_and_no_others(
    rest: TestClient, herder: MemoryHerder, path: str, expected: object
) -> None:
    herder.read("docs", "b")
    herder.read("docs", "a")
    herder.commit("docs", "a", 3, 42)
    answer = rest.get(path)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert answer.headers["content-type"] == "application/json"


def test_what_was_made_comes_back_with_its_place(rest: TestClient, docs: dict[str, Any]) -> None:
    assert docs == INFO
    answer = rest.put("/connectors/a%20b/config", json={**CONFIG, "name": "a b"})
    assert answer.status_code == 400
    answer = rest.put("/connectors/other/config", json=CONFIG)
    assert answer.headers["location"] == "http://pod:8083/connectors/other"


@pytest.mark.usefixtures("docs")
def test_a_failed_task_has_its_trace_and_others_none(
    rest: TestClient, herder: MemoryHerder
) -> None:
    herder.fail("docs", 1, "FatalError: the index is gone")
    failed = {"id": 1, **RUNNING, "state": "FAILED"}
    assert rest.get("/connectors/docs/status").json()["tasks"] == [
        {"id": 0, **RUNNING},
        {**failed, "trace": "FatalError: the index is gone"},
    ]


@pytest.mark.usefixtures("docs")
def test_a_restart_shows_what_is_about_to_restart(rest: TestClient, herder: MemoryHerder) -> None:
    herder.fail("docs", 1, "trace")
    answer = rest.post("/connectors/docs/restart?includeTasks=true&onlyFailed=True")
    assert answer.status_code == 202
    restarting = {"id": 1, **RUNNING, "state": "RESTARTING"}
    assert answer.json() == {**STATUS, "tasks": [{"id": 0, **RUNNING}, restarting]}
    assert herder.restarted == ["docs-1"]


def test_converters_are_plugins_too(rest: TestClient) -> None:
    found = rest.get("/connector-plugins?connectorsOnly=false").json()
    assert {one["type"] for one in found} == {"sink", "converter"}
    assert all(set(one) == {"class", "type", "version"} for one in found)


def test_a_definition_has_connects_words_alone(rest: TestClient) -> None:
    definitions = rest.get("/connector-plugins/EmbeddingSink/config").json()
    names = [one["name"] for one in definitions]
    assert {"topics", "embedder.api.key", "store.index", "key.converter"} <= set(names)
    assert len(names) == len(set(names))
    for one in definitions:
        assert set(one) == {
            "name", "type", "required", "default_value", "importance", "documentation", "group",
            "width", "display_name", "dependents", "order_in_group",
        }  # fmt: skip
        assert one["type"] in {"BOOLEAN", "STRING", "INT", "DOUBLE", "LIST", "CLASS", "PASSWORD"}
        assert one["importance"] in {"HIGH", "MEDIUM", "LOW"}
        assert one["width"] in {"NONE", "SHORT", "MEDIUM", "LONG"}
        assert one["documentation"]
    by_name = {one["name"]: one for one in definitions}
    assert by_name["tasks.max"]["type"] == "INT"
    assert by_name["tasks.max"]["default_value"] == "1"
    assert by_name["topics"]["type"] == "LIST"
    assert by_name["connector.class"]["required"]
    assert by_name["embedder.api.key"]["type"] == "PASSWORD"


@pytest.mark.parametrize("name", ["JsonConverter", "io.confluent.connect.avro.AvroConverter"])
def test_a_converter_has_settings_of_its_own(rest: TestClient, name: str) -> None:
    found = rest.get(f"/connector-plugins/{name}/config").json()
    assert {"schemas.enable", "schema.registry.url"} <= {one["name"] for one in found}


def test_places_in_a_group_are_counted(rest: TestClient) -> None:
    places: dict[str, list[int]] = {}
    for one in rest.get("/connector-plugins/EmbeddingSink/config").json():
        places.setdefault(one["group"], []).append(one["order_in_group"])
    assert len(places) > 5
    assert all(orders == sorted(set(orders)) for orders in places.values())
