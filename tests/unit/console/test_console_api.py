"""What the console's own paths answer, and to whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from tests.unit.console.shop import POD, Shop, canaries
from worker.config.load_worker import load_worker
from worker.console.pages import pages
from worker.serving import application

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
JAVA = {"accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
API = "/console/api"
LETTERS = f"{API}/connectors/products/letters"


@pytest.fixture
def guarded(shop: Shop) -> Iterator[TestClient]:
    environ = {"CONNECT_REST_BASIC_AUTH_USER_INFO": "anna:secret"}
    app = application(shop.herder, load_worker(environ=environ).require(), watcher=shop)
    yield TestClient(app, base_url="http://pod:8083", follow_redirects=False)
    app.close()


def by_name(console: TestClient) -> dict[str, Any]:
    found = console.get(f"{API}/overview").json()["connectors"]
    return {one["name"]: one for one in found}


def test_the_list_says_how_each_connector_stands(console: TestClient) -> None:
    found = by_name(console)
    assert sorted(found) == list(found) != []
    products, orders = found["products"], found["orders"]
    assert (products["state"], products["tasks"], len(products["pods"])) == ("RUNNING", 3, 3)
    assert products["figures"]["behind"] == 12
    assert products["figures"]["letters"]["open"] == 38
    assert products["figures"]["budget"]["share"] == 0.3678
    assert products["here"]["p95_s"] > 0
    assert (orders["state"], orders["tasks_failed"]) == ("FAILED", 1)
    assert orders["error"].startswith("Pinecone refuses the key (401)")
    assert found["customers"]["state"] == "PAUSED"
    assert [one for one in found if not found[one]["has_letters"]] == ["articles", "order-lines"]


def test_what_nobody_has_looked_at_yet_has_no_figures(console: TestClient, shop: Shop) -> None:
    shop.figures.clear()
    found = by_name(console)["products"]
    assert (found["figures"], found["here"], found["state"]) == (None, None, "RUNNING")
    assert console.get(f"{API}/connectors/products").json()["days"] is None
    assert console.get(f"{API}/connectors/products/series").json()["at_ms"] == []


def test_one_connector_with_its_tasks_spend_and_config(console: TestClient) -> None:
    found = console.get(f"{API}/connectors/orders").json()
    assert found["this_pod"] == POD
    assert [task["state"] for task in found["task_list"]] == ["RUNNING", "FAILED", "RUNNING"]
    assert "Caused by: " in found["task_list"][1]["trace"]
    assert len(found["days"]) == 7
    assert found["days"][-1]["usd"] == 0.2214
    assert found["config"]["store.api.key"] == "[hidden]"
    assert found["config"]["embedder.api.key"] == "${env:COHERE_API_KEY}"


def test_the_last_hour_has_one_value_for_each_moment(console: TestClient) -> None:
    found = console.get(f"{API}/connectors/products/series").json()
    length = len(found["at_ms"])
    assert length == 360
    assert {len(values) for values in found.values() if isinstance(values, list)} == {length}


@pytest.mark.parametrize("path", ["", "/series", "/letters", "/letters/0:1"])
def test_no_such_connector(console: TestClient, path: str) -> None:
    assert console.get(f"{API}/connectors/none{path}").status_code == 404


def test_letters_are_counted_and_the_newest_come_first(console: TestClient) -> None:
    found = console.get(LETTERS).json()
    assert found["states"] == {"open": 38, "returned": 1}
    assert found["classes"][0] == ["TextRefused", 17]
    assert found["fitting"] == 38
    times = [one["came_ms"] for one in found["letters"]]
    assert times == sorted(times, reverse=True)


def test_filters_choose_letters_and_leave_the_totals(console: TestClient) -> None:
    found = console.get(LETTERS, params={"classes": "TextTooLong", "stages": "EMBED"}).json()
    assert found["fitting"] == len(found["letters"]) == 9
    assert sum(count for _, count in found["classes"]) == 38
    everything = console.get(LETTERS, params={"states": "all"}).json()
    assert everything["fitting"] == 39


def test_a_letter_has_every_failure_and_its_origin(console: TestClient) -> None:
    worn = next(one for one in console.get(LETTERS).json()["letters"] if one["replays"] == 1)
    found = console.get(f"{LETTERS}/{worn['id']}").json()
    assert len(found["failures"]) == 2
    assert found["failures"][0]["trace"]
    assert found["origin"]["topic"] == "shop.public.products"
    assert found["bytes"]["value"] > 0


@pytest.mark.parametrize("letter", ["0:999", "7:0", "0", "0:1-2", "x"])
def test_no_such_letter(console: TestClient, letter: str) -> None:
    assert console.get(f"{LETTERS}/{letter}").status_code == 404


def test_neither_rows_nor_secrets_are_ever_answered(console: TestClient) -> None:
    ids = [one["id"] for one in console.get(LETTERS, params={"states": "all"}).json()["letters"]]
    paths = [f"{API}/overview", LETTERS, *(f"{LETTERS}/{one}" for one in ids)]
    paths += [f"{API}/connectors/{name}" for name in ("products", "orders")]
    answers = [console.get(path).text for path in paths]
    answers.append(console.post(f"{LETTERS}/outlook", json={"all": True}).text)
    assert len(answers) > 40
    for canary in canaries().values():
        assert not any(canary in answer for answer in answers)


def test_a_dry_run_counts_fates_and_changes_nothing(console: TestClient) -> None:
    found = console.post(f"{LETTERS}/outlook", json={"all": True}).json()
    assert found["letters"] == 38
    assert found["fates"]["fails"] == 4
    assert sum(found["fates"].values()) == 38
    assert console.get(LETTERS).json()["states"] == {"open": 38, "returned": 1}


def test_a_replay_is_asked_for_and_its_answers_can_be_followed(
    console: TestClient, shop: Shop
) -> None:
    asked = console.post(f"{LETTERS}/replay", json={"classes": ["TextTooLong"]}).json()
    assert asked["asked"] == 9
    run = asked["run"]
    assert console.get(LETTERS).json()["runs"] == {run: {"asked": 9}}
    with shop.owned(every_s=0.001):
        while "asked" in console.get(LETTERS).json()["runs"][run]:
            pass
    assert sum(console.get(LETTERS).json()["runs"][run].values()) == 9


def test_two_replays_at_once_are_refused(console: TestClient, shop: Shop) -> None:
    console.post(f"{LETTERS}/replay", json={"at": ["0:1"]})
    again = console.post(f"{LETTERS}/replay", json={"at": ["0:2"]})
    assert again.status_code == 409
    with shop.owned(every_s=0.001):
        while console.post(f"{LETTERS}/replay", json={"at": ["0:2"]}).status_code == 409:
            pass


def test_what_is_discarded_keeps_its_reason(console: TestClient) -> None:
    assert console.post(f"{LETTERS}/discard", json={"at": ["0:1"]}).status_code == 400
    body = {"at": ["0:1"], "reason": "an empty row of a test"}
    assert console.post(f"{LETTERS}/discard", json=body).json() == {"discarded": 1}
    found = console.get(f"{LETTERS}/0:1").json()
    assert (found["state"], found["note"]) == ("discarded", "an empty row of a test")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"states": ["open"]},
        {"all": True, "per_s": 0},
        {"all": True, "per_s": "fast"},
        {"all": True, "kinds": ["x"]},
        {"at": ["here"]},
        {"at": "0:1"},
        {"all": True, "states": ["lost"]},
    ],
)
def test_a_wish_that_is_not_clear_is_refused(console: TestClient, body: dict[str, Any]) -> None:
    assert console.post(f"{LETTERS}/replay", json=body).status_code == 400
    assert "asked" not in console.get(LETTERS).json()["states"]


def test_a_connector_without_a_dead_letter_topic_says_so(console: TestClient) -> None:
    answer = console.get(f"{API}/connectors/order-lines/letters")
    assert answer.status_code == 400
    assert "no dead-letter topic" in answer.json()["message"]


def test_only_a_browser_is_sent_from_the_root_to_the_page(console: TestClient) -> None:
    moved = console.get("/", headers=BROWSER)
    assert (moved.status_code, moved.headers["location"]) == (307, "console/")
    for headers in ({}, JAVA, {"accept": "application/json"}, {"accept": "*/*"}):
        assert console.get("/", headers=headers).json()["version"].startswith("4.")
    short = console.get("/console")
    assert (short.status_code, short.headers["location"]) == (307, "console/")


def test_the_page_has_all_it_names_and_lets_nothing_else_in(console: TestClient) -> None:
    page = console.get("/console/", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    texts = {path: console.get(path) for path in pages() if path.endswith((".html", ".js", ".css"))}
    assert len(texts) > 8
    named = set()
    for path, answer in texts.items():
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"""["'(]https?://(?!localhost|www\.w3\.org)""", answer.text), path
        named |= set(
            re.findall(
                r"""(?:src|href)="([\w./-]+\.\w+)"|from "\./([\w.-]+)"|url\(([\w./-]+)\)""",
                answer.text,
            )
        )
    for found in named:
        assert console.get(f"/console/{''.join(found)}").status_code == 200, found
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page.text)


def test_the_page_and_its_api_ask_for_the_password(guarded: TestClient) -> None:
    paths = ("/console", "/console/", "/console/main.js", f"{API}/overview", LETTERS)
    for path in paths:
        assert guarded.get(path).status_code == 401
        assert guarded.get(path, auth=("anna", "secret")).status_code in (200, 307)


FOREIGN = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "http://pod:9999"},
    {"origin": "null"},
)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_changes_nothing(
    console: TestClient, shop: Shop, headers: dict[str, str]
) -> None:
    body = {"all": True, "reason": "x"}
    assert console.post(f"{LETTERS}/discard", json=body, headers=headers).status_code == 403
    assert console.put("/connectors/products/pause", headers=headers).status_code == 403
    assert console.post("/connectors/products/restart", headers=headers).status_code == 403
    assert console.get(LETTERS).json()["states"] == {"open": 38, "returned": 1}
    assert shop.herder.restarted == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": "https://proxy"},
        {"origin": "http://pod:8083"},
    ],
)
def test_our_own_page_and_programs_may(console: TestClient, headers: dict[str, str]) -> None:
    assert console.put("/connectors/products/pause", headers=headers).status_code == 202


def test_a_form_of_html_is_no_request(console: TestClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"content-type": kind}
        answer = console.post(f"{LETTERS}/discard", content=b'{"all": true}', headers=headers)
        assert answer.status_code == 415
