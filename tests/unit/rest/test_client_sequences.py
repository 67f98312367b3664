"""What kcctl, kafka-ui and the Strimzi operator send, and what they rely on in the answers.

Read in ``kcctl/kcctl`` (``KafkaConnectApi``), ``kafbat/kafka-ui`` (``KafkaConnectService`` and
``kafka-connect-api.yaml``) and ``strimzi/strimzi-kafka-operator`` (``KafkaConnectApiImpl``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.rest.conftest import CONFIG

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.unit.rest.memory_herder import MemoryHerder

BODY = {"name": "docs", "config": CONFIG}
STATES = {"RUNNING", "FAILED", "PAUSED", "UNASSIGNED", "RESTARTING"}


class Client:
    """Asks, and holds the answer to a status."""

    def __init__(self, rest: TestClient) -> None:
        self._rest = rest

    def __call__(
        self, request: str, body: object = None, *, expected: int = 200, **headers: str
    ) -> Any:
        method, path = request.split(" ")
        answer = self._rest.request(
            method, path, json=body, headers={"accept": "application/json", **headers}
        )
        assert answer.status_code == expected, f"{request}: {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture
def ask(rest: TestClient) -> Client:
    return Client(rest)


class TestKcctl:
    def test_apply_describe_and_delete(self, ask: Client) -> None:
        assert ask("GET /connectors/") == []
        made = ask("POST /connectors/", BODY, expected=201)
        assert made["name"] == "docs"
        assert ask("GET /connectors/") == ["docs"]
        ask("PUT /connectors/docs/config", {**CONFIG, "tasks.max": "1"})

        version = ask("GET /")["version"].split(".")
        assert (int(version[0]), int(version[1])) >= (3, 7), "what it makes its choices by"
        info, status = ask("GET /connectors/docs"), ask("GET /connectors/docs/status")
        assert status["type"] == info["type"] == "sink"
        assert ask("GET /connectors/docs/config")["name"] == "docs"
        assert ask("GET /connectors/docs/tasks")[0]["id"] == {"connector": "docs", "task": 0}
        assert ask("GET /connectors/docs/topics")["docs"]["topics"] == []

        expanded = ask("GET /connectors?expand=status")["docs"]["status"]
        assert (expanded["connector"]["state"], expanded["type"]) == ("RUNNING", "sink")
        ask("DELETE /connectors/docs", expected=204)
        missing = ask("GET /connectors/docs", expected=404)
        assert (missing["error_code"], missing["message"]) == (404, "Connector docs not found")

    def test_a_dry_run_has_a_definition_for_each_mistake(self, ask: Client) -> None:
        wrong = {**CONFIG, "tasks.max": "x", "embedder.nothing": "y"}
        found = ask("PUT /connector-plugins/EmbeddingSink/config/validate", wrong)
        for one in found["configs"]:
            assert one["definition"]["required"] in {True, False}
            assert one["value"]["errors"] is not None

    def test_its_patterns_find_the_errors(self, ask: Client) -> None:
        wrong = {"name": "a", "config": {**CONFIG, "tasks.max": "x"}}
        message = ask("POST /connectors/", wrong, expected=400)["message"]
        pattern = r"\nYou can also find the above list of errors at the endpoint `[^`]*`$"
        assert re.search(pattern, message)
        unknown = {"name": "a", "config": {**CONFIG, "connector.class": "x.Y"}}
        message = ask("POST /connectors/", unknown, expected=400)["message"]
        assert message.startswith("Failed to find any class that implements Connector")

    def test_restart_patch_pause_and_stop(self, ask: Client, herder: MemoryHerder) -> None:
        ask("POST /connectors/", BODY, expected=201)
        herder.fail("docs", 0, "line 1\nline 2")
        assert ask("GET /connectors/docs/status")["tasks"][0]["trace"].replace("\n", "")
        ask("POST /connectors/docs/restart", expected=204)
        found = ask("POST /connectors/docs/restart?includeTasks=true&onlyFailed=true", expected=202)
        assert found["type"] == "sink"
        ask("POST /connectors/docs/tasks/0/restart", expected=204)
        config = ask("GET /connectors/docs/config")
        ask("PUT /connectors/docs/config", {**config, "tasks.max": "3"})
        ask("PUT /connectors/docs/pause", expected=202)
        ask("PUT /connectors/docs/resume", expected=202)
        ask("PUT /connectors/docs/stop", expected=204)
        place = {"kafka_topic": "t", "kafka_partition": "0"}
        change = {"offsets": [{"partition": place, "offset": {"kafka_offset": "3"}}]}
        assert ask("PATCH /connectors/docs/offsets", change)["message"]
        assert ask("GET /connectors/docs/offsets")["offsets"][0]["offset"]["kafka_offset"] == 3
        assert ask("DELETE /connectors/docs/offsets")["message"]

    def test_plugins_and_loggers(self, ask: Client, herder: MemoryHerder) -> None:
        plugins = ask("GET /connector-plugins?connectorsOnly=false")
        assert all(one["type"] and one["class"] for one in plugins)
        for one in plugins:
            assert isinstance(ask(f"GET /connector-plugins/{one['class']}/config"), list)
        assert "root" in ask("GET /admin/loggers")
        assert ask("PUT /admin/loggers/worker.rest", {"level": "INFO"})[0] == "worker.rest"
        assert ask("GET /admin/loggers/worker.rest")["level"] == "INFO"
        level = {"level": "WARN"}
        ask("PUT /admin/loggers/worker.rest?scope=cluster", level, expected=204)
        assert herder.levels == {"worker.rest": "WARN"}


class TestKafkaUi:
    def test_the_list_has_info_and_status_of_each(self, ask: Client) -> None:
        for name in ("a", "b"):
            ask("POST /connectors", {"name": name, "config": CONFIG}, expected=201)
        ask("PUT /connectors/b/stop", expected=204)
        assert set(ask("GET /")) == {"version", "commit", "kafka_cluster_id"}
        for name, one in ask("GET /connectors?expand=info&expand=status").items():
            assert one["info"]["type"] in {"sink", "source", "unknown"}
            assert one["status"]["connector"]["state"] in STATES | {"STOPPED"}
            assert all(task["state"] in STATES for task in one["status"]["tasks"])
            assert ask(f"GET /connectors/{name}/topics")[name]["topics"] == []

    def test_create_edit_and_act(self, ask: Client, herder: MemoryHerder) -> None:
        assert ask("GET /connectors?expand=info&expand=status") == {}
        made = ask("POST /connectors", BODY, expected=201)
        assert made["config"]["name"] == "docs"
        for path in ("", "/topics", "/status", "/config", "/tasks"):
            ask(f"GET /connectors/docs{path}")
        for task in ask("GET /connectors/docs/tasks"):
            number = task["id"]["task"]
            assert ask(f"GET /connectors/docs/tasks/{number}/status")["state"] in STATES
            ask(f"POST /connectors/docs/tasks/{number}/restart", expected=204)
        restart = "POST /connectors/docs/restart?includeTasks=false&onlyFailed=false"
        ask(restart, expected=204)
        assert herder.restarted == ["docs-0", "docs-1", "docs"]

        config = ask("GET /connectors/docs/config")
        ask("PUT /connectors/docs/config", {**config, "tasks.max": 1})
        wrong = ask("PUT /connectors/docs/config", {**config, "topics": ""}, expected=400)
        assert "Must configure one of topics or topics.regex" in wrong["message"]

        ask("DELETE /connectors/docs/offsets", expected=400)
        ask("PUT /connectors/docs/stop", expected=204)
        ask("DELETE /connectors/docs/offsets")
        ask("DELETE /connectors/docs", expected=204)

    def test_its_masks_do_no_harm(self, ask: Client, herder: MemoryHerder) -> None:
        config = {**CONFIG, "embedder": "cohere", "embedder.api.key": "key-1"}
        ask("PUT /connectors/docs/config", config, expected=201)
        shown = ask("GET /connectors/docs/config")
        ask("PUT /connectors/docs/config", {**shown, "embedder.api.key": "******"})
        assert herder.connector("docs").config["embedder.api.key"] == "key-1"

    def test_the_form_knows_every_word(self, ask: Client) -> None:
        kinds = ["BOOLEAN", "CLASS", "DOUBLE", "INT", "LIST", "LONG", "PASSWORD", "SHORT", "STRING"]
        assert ask("GET /connector-plugins")[0]["class"] == "EmbeddingSink"
        found = ask("PUT /connector-plugins/EmbeddingSink/config/validate", CONFIG)
        for one in found["configs"]:
            assert one["definition"]["type"] in kinds
            assert one["definition"]["importance"] in {"LOW", "MEDIUM", "HIGH"}
            assert one["definition"]["width"] in {"SHORT", "MEDIUM", "LONG", "NONE"}


class TestStrimzi:
    def test_a_connector_is_reconciled(self, ask: Client) -> None:
        plugins = ask("GET /connector-plugins")
        assert {"class", "type", "version"} == set(plugins[0])
        assert ask("GET /connectors") == []
        ask("GET /connectors/docs/config", expected=404)
        body = {**BODY, "initial_state": "STOPPED"}
        assert ask("POST /connectors", body, expected=201)["name"] == "docs"
        status = ask("GET /connectors/docs/status")
        assert (status["connector"]["state"], status["tasks"]) == ("STOPPED", [])

        ask("PUT /connectors/docs/resume", expected=202)
        ask("PUT /connectors/docs/config", {**CONFIG, "tasks.max": 2, "name": "docs"})
        ask("PUT /connectors/docs/pause", expected=202)
        ask("PUT /connectors/docs/stop", expected=204)
        restart = "POST /connectors/docs/restart?includeTasks=true&onlyFailed=false"
        assert ask(restart, expected=202)["name"] == "docs"
        ask("PUT /connectors/docs/resume", expected=202)
        ask("POST /connectors/docs/tasks/0/restart", expected=204)
        assert ask("GET /connectors/docs/topics")["docs"]["topics"] == []

        headers = {"content-type": "application/json"}
        ask("DELETE /connectors/docs", expected=204, **headers)
        ask("GET /connectors/docs/status", expected=404)

    def test_loggers_have_levels(self, ask: Client) -> None:
        for entry in ask("GET /admin/loggers/").values():
            assert entry["level"] in {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"}
        ask("PUT /admin/loggers/root?scope=cluster", {"level": "INFO"}, expected=204)


class TestDucktape:
    def test_numbers_and_booleans_in_a_config(self, ask: Client) -> None:
        config = {**CONFIG, "tasks.max": 1, "consumer.override.allow.auto.create.topics": True}
        ask("POST /connectors", {"name": "docs", "config": config}, expected=201)
        ask("GET /connector-plugins/")
        config = ask("GET /connectors/docs/config")
        assert config["consumer.override.allow.auto.create.topics"] == "true"
