"""The REST API in front of a herder in memory, asked without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from tests.unit.rest.memory_herder import MemoryHerder
from tests.unit.telemetry.logger_levels import kept
from worker.config.load_worker import load_worker
from worker.serving import application

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = {
    "connector.class": "EmbeddingSink",
    "tasks.max": "2",
    "topics": "shop.public.products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}
ENVIRON = {"API_KEY": "resolved-canary"}


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    with kept():
        yield


@pytest.fixture
def herder() -> MemoryHerder:
    return MemoryHerder()


@pytest.fixture
def rest(herder: MemoryHerder) -> Iterator[TestClient]:
    app = application(herder, load_worker(environ={}).require(), environ=ENVIRON)
    client = TestClient(app, base_url="http://pod:8083", follow_redirects=False)
    yield client
    app.close()


@pytest.fixture
def docs(rest: TestClient) -> dict[str, Any]:
    """A connector of this name, as the API answered when it was made."""
    answer = rest.post("/connectors", json={"name": "docs", "config": CONFIG})
    made: dict[str, Any] = answer.json()
    assert answer.status_code == 201, made
    return made
