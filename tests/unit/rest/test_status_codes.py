"""Which status and which sentence answer a request; sentences are Connect's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.rest.conftest import CONFIG
from worker.runtime.port import Health
from worker.runtime.refusals import ConflictError

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.unit.rest.memory_herder import MemoryHerder

pytestmark = pytest.mark.usefixtures("docs")

HERE = {"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": 1}}
NOT_STOPPED = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be "
    "done for the specified connector by issuing a 'PUT' request to the '/connectors/docs/stop' "
    "endpoint"
)
NO_OFFSETS = "Partitions / offsets need to be provided for an alter offsets request"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/connectors/docs/config", CONFIG, 200),
        ("PUT", "/connectors/new/config", CONFIG, 201),
        ("PATCH", "/connectors/docs/config", {"tasks.max": 3}, 200),
        ("PUT", "/connectors/docs/pause", None, 202),
        ("PUT", "/connectors/docs/resume", None, 202),
        ("PUT", "/connectors/docs/stop", None, 204),
        ("POST", "/connectors/docs/restart", None, 204),
        ("POST", "/connectors/docs/restart?includeTasks=False&onlyFailed=False", None, 204),
        ("POST", "/connectors/docs/restart?onlyFailed=true", None, 202),
        ("POST", "/connectors/docs/tasks/0/restart", None, 204),
        ("PUT", "/connectors/docs/topics/reset", None, 202),
        ("DELETE", "/connectors/docs", None, 204),
        ("PUT", "/admin/loggers/worker?scope=cluster", {"level": "INFO"}, 204),
    ],
)
def test_a_good_request(
    rest: TestClient, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    answer = rest.request(method, path, json=body)
    assert answer.status_code == status
    if status == 204 or (status == 202 and method == "PUT"):
        assert answer.content == b""


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/connectors/x", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/config", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/tasks", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/offsets", None, 404, "Connector x not found"),
        ("GET", "/connectors/x/status", None, 404, "No status found for connector x"),
        ("GET", "/connectors/x/tasks/0/status", None, 404, "No status found for task x-0"),
        ("GET", "/connectors/docs/tasks/9/status", None, 404, "No status found for task docs-9"),
        ("DELETE", "/connectors/x", None, 404, "Connector x not found"),
        ("PATCH", "/connectors/x/config", {}, 404, "Connector x not found"),
        ("PUT", "/connectors/x/pause", None, 404, "Unknown connector x"),
        ("PUT", "/connectors/x/resume", None, 404, "Unknown connector x"),
        ("PUT", "/connectors/x/stop", None, 404, "Unknown connector x"),
        ("POST", "/connectors/x/restart", None, 404, "Unknown connector: x"),
        ("POST", "/connectors/x/restart?includeTasks=true", None, 404, "Unknown connector: x"),
        ("POST", "/connectors/x/tasks/0/restart", None, 404, "Unknown connector: x"),
        ("POST", "/connectors/docs/tasks/9/restart", None, 404, "Unknown task: docs-9"),
        ("PATCH", "/connectors/x/offsets", {"offsets": [HERE]}, 404, "Connector x not found"),
        ("DELETE", "/connectors/x/offsets", None, 404, "Connector x not found"),
        ("PATCH", "/connectors/docs/offsets", {"offsets": [HERE]}, 400, NOT_STOPPED),
        ("DELETE", "/connectors/docs/offsets", None, 400, NOT_STOPPED),
        ("PATCH", "/connectors/docs/offsets", {}, 400, NO_OFFSETS),
        ("PATCH", "/connectors/docs/offsets", {"offsets": []}, 400, NO_OFFSETS),
        (
            "POST",
            "/connectors",
            {"name": "docs", "config": CONFIG},
            409,
            "Connector docs already exists",
        ),
        (
            "POST",
            "/connectors",
            {"name": "a", "config": {**CONFIG, "name": "b"}},
            400,
            "Connector name configuration (b) doesn't match connector name in the URL (a)",
        ),
        (
            "PUT",
            "/connectors/a/config",
            {**CONFIG, "name": "b"},
            400,
            "Connector name configuration (b) doesn't match connector name in the URL (a)",
        ),
        (
            "PATCH",
            "/connectors/docs/config",
            {"name": "b"},
            400,
            "Connector name configuration (b) doesn't match connector name in the URL (docs)",
        ),
        (
            "PUT",
            "/connectors/a/config",
            {},
            400,
            "Connector config contains no connector type",
        ),
        (
            "PUT",
            "/connectors/a/config",
            {**CONFIG, "connector.class": "FileSink"},
            400,
            (
                "Failed to find any class that implements Connector and which name matches "
                "FileSink, available connectors are: EmbeddingSink"
            ),
        ),
        (
            "PUT",
            "/connector-plugins/FileSink/config/validate",
            CONFIG,
            400,
            "Included connector type EmbeddingSink does not match request type FileSink",
        ),
        (
            "PUT",
            "/connector-plugins/EmbeddingSink/config/validate",
            {},
            400,
            "Connector config contains no connector type",
        ),
        ("GET", "/connector-plugins/FileSink/config", None, 404, "Unknown plugin FileSink."),
        ("GET", "/admin/loggers/a.b.c", None, 404, "Logger a.b.c not found."),
        ("PUT", "/admin/loggers/worker", {"level": "LOUD"}, 404, "invalid log level 'LOUD'."),
        (
            "PUT",
            "/admin/loggers/worker",
            {},
            400,
            "Desired 'level' parameter was not specified in request.",
        ),
        ("GET", "/connectors/docs/tasks/one/status", None, 404, "HTTP 404 Not Found"),
        ("GET", "/connectors/docs/tasks/-1/status", None, 404, "No status found for task docs--1"),
        ("GET", "/connectors/docs/tasks/2147483648/status", None, 404, "HTTP 404 Not Found"),
        ("GET", "/nowhere", None, 404, "HTTP 404 Not Found"),
        ("GET", "/connectors/docs/nothing", None, 404, "HTTP 404 Not Found"),
        ("DELETE", "/connectors", None, 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/connectors/docs/config", {}, 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/connectors", {"name": "a", "config": [], "x": 1}, 400, "Unrecognized field x"),
        ("POST", "/connectors", {"name": "a"}, 400, "The config is not a JSON object"),
        (
            "POST",
            "/connectors",
            {"name": "a", "config": CONFIG, "initial_state": "ASLEEP"},
            400,
            "initial_state is none of RUNNING, PAUSED, STOPPED",
        ),
        ("PUT", "/connectors/a/config", {"topics": ["a"]}, 400, "The value of topics is not text"),
        ("PUT", "/connectors/a/config", [], 400, "The body is not a JSON object"),
    ],
)
def test_a_refused_request(
    *, rest: TestClient, method: str, path: str, body: object, status: int, message: str
) -> None:
    answer = rest.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json() == {"error_code": status, "message": message}


def test_half_of_a_surrogate_pair_is_the_clients_mistake(rest: TestClient) -> None:
    for body in (b'{"a": "\\ud800"}', b'{"\\udfff": "a"}', b'{"a": "\xed\xa0\x80"}'):
        headers = {"content-type": "application/json"}
        answer = rest.put("/connectors/docs/config", content=body, headers=headers)
        assert answer.status_code == 400
        assert "half of a surrogate pair" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_the_clients_mistake(rest: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = rest.put("/connectors/docs/config", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json() == {"error_code": 400, "message": "The body is not valid JSON"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"content-type": "application/json", "accept": "text/html"}, 406),
        ({"content-type": "application/json", "accept": "text/html, */*;q=0.1"}, 200),
    ],
)
def test_json_is_what_is_spoken(rest: TestClient, headers: dict[str, str], status: int) -> None:
    body = b'{"connector.class": "EmbeddingSink"}'
    path = "/connector-plugins/EmbeddingSink/config/validate"
    answer = rest.put(path, content=body, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/connectors/", "/connector-plugins/", "/admin/loggers/"])
def test_a_slash_at_the_end_makes_no_difference(rest: TestClient, path: str) -> None:
    assert rest.get(path).json() == rest.get(path.rstrip("/")).json()
    assert rest.get(path).status_code == 200


def test_head_answers_like_get_without_a_body(rest: TestClient) -> None:
    answer = rest.head("/connectors")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"
    assert rest.head("/connectors/x").status_code == 404


def test_options_say_what_can_be_asked(rest: TestClient) -> None:
    answer = rest.options("/connectors/docs/config")
    assert answer.status_code == 200
    assert answer.headers["allow"] == "GET,HEAD,OPTIONS,PATCH,PUT"
    assert rest.options("/nowhere").status_code == 404
    refused = rest.post("/connectors/docs/config", json={})
    assert refused.headers["allow"] == "GET,HEAD,OPTIONS,PATCH,PUT"


def test_a_connector_can_begin_held(rest: TestClient) -> None:
    for given, state in (("paused", "PAUSED"), ("STOPPED", "STOPPED"), (None, "RUNNING")):
        body = {"name": f" n-{state} ", "config": CONFIG, "initial_state": given}
        assert rest.post("/connectors", json=body).status_code == 201
        status = rest.get(f"/connectors/n-{state}/status").json()
        assert status["connector"]["state"] == state
        assert bool(status["tasks"]) is (state != "STOPPED")


def test_numbers_and_booleans_become_text_as_they_were_written(rest: TestClient) -> None:
    sent = b'{"connector.class": "EmbeddingSink", "x.a": 1.50, "x.b": true, "x.c": 1e3}'
    headers = {"content-type": "application/json"}
    rest.patch("/connectors/docs/config", content=sent, headers=headers)
    config = rest.get("/connectors/docs/config").json()
    assert (config["x.a"], config["x.b"], config["x.c"]) == ("1.50", "true", "1e3")


def test_a_patch_takes_settings_away_and_leaves_the_others(rest: TestClient) -> None:
    rest.patch("/connectors/docs/config", json={"tasks.max": None, "document.when": "price"})
    config = rest.get("/connectors/docs/config").json()
    expected = {**CONFIG, "name": "docs", "document.when": "price"}
    del expected["tasks.max"]
    assert config == expected


def test_offsets_of_a_stopped_connector_are_moved_forgotten_and_reset(rest: TestClient) -> None:
    rest.put("/connectors/docs/stop")
    text = {
        "partition": {"kafka_topic": "t", "kafka_partition": "1"},
        "offset": {"kafka_offset": "7"},
    }
    answer = rest.patch("/connectors/docs/offsets", json={"offsets": [HERE, text]})
    altered = "The offsets for this connector have been altered successfully"
    assert (answer.status_code, answer.json()) == (200, {"message": altered})
    assert len(rest.get("/connectors/docs/offsets").json()["offsets"]) == 2

    rest.patch("/connectors/docs/offsets", json={"offsets": [{**HERE, "offset": None}]})
    assert rest.get("/connectors/docs/offsets").json()["offsets"] == [
        {"partition": {"kafka_topic": "t", "kafka_partition": 1}, "offset": {"kafka_offset": 7}}
    ]

    answer = rest.delete("/connectors/docs/offsets")
    reset = "The offsets for this connector have been reset successfully"
    assert (answer.status_code, answer.json()) == (200, {"message": reset})
    assert rest.get("/connectors/docs/offsets").json() == {"offsets": []}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("x", "Each of the offsets is an object of partition and offset"),
        ({"partition": {}, "offset": None, "x": 1}, "Each of the offsets is an object"),
        ({"offset": None}, "The partition for a sink connector offset cannot be null or missing"),
        ({"partition": {"kafka_topic": "t"}}, "must contain the keys 'kafka_topic' and"),
        ({"partition": {"kafka_topic": None, "kafka_partition": 0}}, "Kafka topic names must be"),
        ({"partition": {"kafka_topic": "t", "kafka_partition": None}}, "Kafka partitions must be"),
        (
            {"partition": {"kafka_topic": "t", "kafka_partition": "x"}},
            (
                "Failed to parse the following Kafka partition value in the provided offsets: "
                "'x'. Partition values for sink connectors need to be integers."
            ),
        ),
        ({**HERE, "offset": {"kafka_offset": None}}, "provided offsets: 'null'."),
        ({**HERE, "offset": {}}, "should either be null or contain the key 'kafka_offset'"),
        ({**HERE, "offset": {"kafka_offset": 1.5}}, "Kafka offset value in the provided offsets"),
    ],
)
def test_an_offset_that_is_none_is_explained(
    rest: TestClient, change: object, message: str
) -> None:
    rest.put("/connectors/docs/stop")
    answer = rest.patch("/connectors/docs/offsets", json={"offsets": [change]})
    assert answer.status_code == 400
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("well", "path", "status", "word"),
    [
        (Health(is_started=False), "/health", 503, "starting"),
        (Health(is_started=False), "/health/ready", 503, "starting"),
        (Health(is_started=False), "/health/live", 200, "healthy"),
        (Health(is_started=True), "/health/ready", 200, "healthy"),
        (Health(is_started=True, is_alive=False), "/health", 500, "unhealthy"),
        (Health(is_started=True, is_alive=False), "/health/live", 503, "unhealthy"),
        (Health(is_started=True, is_alive=False), "/health/ready", 503, "unhealthy"),
    ],
)
def test_health_means_something(
    *, rest: TestClient, herder: MemoryHerder, well: Health, path: str, status: int, word: str
) -> None:
    herder.well = well
    answer = rest.get(path)
    assert (answer.status_code, answer.json()["status"]) == (status, word)
    assert set(answer.json()) == {"status", "message"}


def test_an_ill_worker_says_what_is_wrong(rest: TestClient, herder: MemoryHerder) -> None:
    herder.well = Health(is_started=True, is_alive=False, detail="docs-0 polls no more.")
    message = rest.get("/health").json()["message"]
    assert message == (
        "Worker was unable to handle this request and may be unable to handle other requests. "
        "docs-0 polls no more."
    )


class _Moving:
    """A herder whose tasks move."""

    def connectors(self) -> list[str]:
        raise ConflictError.rebalance()


def test_who_asks_during_a_rebalance_is_to_ask_again(
    rest: TestClient, herder: MemoryHerder
) -> None:
    herder.connectors = _Moving().connectors  # type: ignore[method-assign]
    answer = rest.get("/connectors")
    assert answer.status_code == 409
    said = "Request cannot be completed because a rebalance is expected"
    assert answer.json() == {"error_code": 409, "message": said}
