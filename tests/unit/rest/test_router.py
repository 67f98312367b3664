"""Paths find their handlers, whatever is in a name."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rest.call import NO_CONTENT, Answer, Call, RefusedError
from worker.rest.router import Route, Router


def nothing(_call: Call) -> Answer:
    return NO_CONTENT


def route(method: str, path: str) -> Route:
    return Route(method, path, nothing, "", {})


ROUTER = Router(
    [
        route("GET", "/"),
        route("GET", "/health/live"),
        route("GET", "/connectors/{connector}"),
        route("PUT", "/connectors/{connector}"),
        route("GET", "/connectors/{connector}/tasks/{task}/status"),
    ]
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1)


@given(name=NAMES, task=NAMES)
def test_every_name_comes_out_as_it_went_in(name: str, task: str) -> None:
    path = f"/connectors/{quote(name, safe='')}/tasks/{quote(task, safe='')}/status"
    found = ROUTER.find("GET", path)
    assert found.arguments == {"connector": name, "task": task}
    assert ROUTER.find("HEAD", f"{path}/").arguments == found.arguments


@pytest.mark.parametrize(
    "path",
    ["/connectors", "/connectors//", "/connectors/a/b", "/health%2Flive", "/Health/live"],
)
def test_other_paths_are_not_there(path: str) -> None:
    with pytest.raises(RefusedError, match="HTTP 404 Not Found"):
        ROUTER.find("GET", path)
    assert ROUTER.methods(path) == []


def test_a_method_that_is_not_there_is_told_what_is() -> None:
    with pytest.raises(RefusedError) as refused:
        ROUTER.find("DELETE", "/connectors/a")
    assert refused.value.status is HTTPStatus.METHOD_NOT_ALLOWED
    assert refused.value.headers == {"allow": "GET,HEAD,OPTIONS,PUT"}
