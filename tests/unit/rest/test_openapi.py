"""The OpenAPI document says what is answered, and all of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.rest.conftest import CONFIG
from tests.unit.rest.fitting import misfits
from worker.rest.openapi import SHAPES

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.unit.rest.memory_herder import MemoryHerder

STOPPED = {"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": None}]}
BODIES: dict[tuple[str, str], Any] = {
    ("post", "/connectors"): {"name": "other", "config": CONFIG, "initial_state": "PAUSED"},
    ("put", "/connectors/{connector}/config"): CONFIG,
    ("patch", "/connectors/{connector}/config"): {"tasks.max": 1},
    ("patch", "/connectors/{connector}/offsets"): STOPPED,
    ("put", "/connector-plugins/{plugin}/config/validate"): {**CONFIG, "embedder": "none"},
    ("put", "/admin/loggers/{logger}"): {"level": "INFO"},
}
PARTS = {"connector": "docs", "task": "0", "plugin": "EmbeddingSink", "logger": "worker"}


@pytest.fixture
def document(rest: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = rest.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def schema(carrier: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (
        carrier.get("content", {}).get("application/json", {}).get("schema")
    )
    return found


@pytest.mark.usefixtures("docs")
def test_each_operation_answers_as_the_document_says(
    rest: TestClient, herder: MemoryHerder, document: dict[str, Any]
) -> None:
    herder.read("docs", "t")
    herder.commit("docs", "t", 0, 5)
    herder.fail("docs", 1, "trace")
    found = sorted(operations(document), key=lambda one: (one[0] == "delete", -len(one[1])))
    assert len(found) == 30
    for method, path, operation in found:
        rest.put("/connectors/docs/stop" if "offsets" in path else "/connectors/docs/resume")
        body = BODIES.get((method, path))
        wanted = schema(operation.get("requestBody", {}))
        assert (wanted is None) is (body is None), f"{method} {path}"
        assert wanted is None or misfits(body, wanted, SHAPES) == []
        answer = rest.request(method, path.format(**PARTS), json=body)
        assert answer.is_success, f"{method} {path} {answer.text}"
        described = schema(operation["responses"][str(answer.status_code)])
        assert bool(described) is bool(answer.content), f"{method} {path}"
        if described:
            assert misfits(answer.json(), described, SHAPES) == [], f"{method} {path}"


def test_variable_parts_of_paths_are_described(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_no_shape_is_forgotten_or_left_over(document: dict[str, Any]) -> None:
    used = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert used == set(SHAPES)


def test_the_page_names_every_operation_and_needs_nothing_else(
    rest: TestClient, document: dict[str, Any]
) -> None:
    answer = rest.get("/docs", headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for method, path, _ in operations(document):
        assert f"<b>{method.upper()}</b> <code>{path}</code>" in answer.text
    assert not re.findall(r"""(?:src|href)=["'](?!#|/openapi)""", answer.text)


def test_a_value_that_differs_is_seen() -> None:
    good = {"state": "RUNNING", "worker_id": "a:1", "version": "1"}
    shape = {"$ref": "#/components/schemas/ConnectorState"}
    assert misfits(good, shape, SHAPES) == []
    for bad in ({}, {**good, "msg": ""}, {**good, "state": "GOING"}, {**good, "worker_id": 1}):
        assert misfits(bad, shape, SHAPES) != [], bad
