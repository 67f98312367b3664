"""Alerts and dashboard ask for numbers that the worker tells, and the runbook knows every alert."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.telemetry.readings import prometheus_text
from worker.model import Outcome
from worker.runtime.supervisor import TaskState
from worker.telemetry.points import CIRCUITS

ROOT = Path(__file__).resolve().parents[3]
RULES = yaml.safe_load((ROOT / "deploy/alerts/vecsink.rules.yml").read_text())
CASES = yaml.safe_load((ROOT / "deploy/alerts/vecsink.test.yml").read_text())
BOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/vecsink.dashboard.json").read_text())
RUNBOOK = (ROOT / "docs/runbook.md").read_text()

ALL_RULES = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ALL_RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in ALL_RULES if "record" in rule}
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
ASKED = [rule["expr"] for rule in ALL_RULES] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]

SAMPLES = [
    sample
    for family in text_string_to_metric_families(prometheus_text())
    for sample in family.samples
]
METRICS = {sample.name for sample in SAMPLES}
LABELS = {label for sample in SAMPLES for label in sample.labels} | {"namespace"}
"""Prometheus adds the namespace itself, by the pod that it asked."""

VALUES = {
    "service_name": {"vecsink"},
    "outcome": {outcome.value for outcome in Outcome},
    "state": {state.value for state in TaskState} | {"PAUSED"} | set(CIRCUITS),
}


@pytest.mark.parametrize("expression", ASKED)
def test_every_metric_and_label_is_one_that_a_worker_tells(expression: str) -> None:
    grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
    labels = {label.strip() for group in grouped for label in group.split(",")}
    labels |= set(re.findall(r"[{,]\s*(\w+)\s*[=!]", expression))
    assert labels <= LABELS
    names = set(re.findall(r"\b(?:vecsink|messaging|gen_ai|db|target)_\w+", expression))
    assert names - labels
    assert names - labels <= METRICS


@pytest.mark.parametrize("expression", ASKED)
def test_every_value_of_a_label_is_one_that_there_is(expression: str) -> None:
    for label, value in re.findall(r'(\w+)!?="(\w[^"$]*)"', expression):
        assert value in VALUES[label]


def test_a_metric_that_nobody_tells_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        test_every_metric_and_label_is_one_that_a_worker_tells("rate(vecsink_rows_total[5m])")


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"] == {"severity": alert["labels"]["severity"]}
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


def test_the_runbook_has_a_section_for_each_alert_and_for_nothing_else() -> None:
    sections = re.split(r"^## (\w+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    by_name = dict(zip(sections[::2], sections[1::2], strict=True))
    assert by_name.keys() == ALERTS.keys()
    for text in by_name.values():
        assert "**Means.**" in text
        assert re.search(r"\*\*Look", text)
        assert re.search(r"\*\*Do\.|and do\.", text)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    cases = [
        bool(one["exp_alerts"])
        for case in CASES["tests"]
        for one in case.get("alert_rule_test", [])
        if one["alertname"] == name
    ]
    assert set(cases) == {True, False}


def test_what_is_recorded_has_cases_too() -> None:
    tested = {
        one["expr"]: one["exp_samples"]
        for case in CASES["tests"]
        for one in case.get("promql_expr_test", [])
    }
    assert tested.keys() == RECORDED


def test_the_dashboard_shows_what_an_operator_asks_for() -> None:
    titles = " ".join(panel["title"] for panel in PANELS).lower()
    for asked in ("freshness", "lag", "rows per second", "dollars", "failed", "dead letters"):
        assert asked in titles


def test_panels_have_places_of_their_own() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for one, other in combinations(BOARD["panels"], 2):
        apart = (
            _ends(one, axis, size) <= other["gridPos"][axis]
            or _ends(other, axis, size) <= one["gridPos"][axis]
            for axis, size in (("x", "w"), ("y", "h"))
        )
        assert any(apart), (one["title"], other["title"])
    assert all(_ends(panel, "x", "w") <= 24 for panel in PANELS)


def _ends(panel: dict[str, Any], axis: str, size: str) -> int:
    place: dict[str, int] = panel["gridPos"]
    return place[axis] + place[size]


def test_panels_ask_the_prometheus_that_was_chosen() -> None:
    (chosen, *asked) = BOARD["templating"]["list"]
    assert (chosen["type"], chosen["query"]) == ("datasource", "prometheus")
    for panel in PANELS:
        assert panel["datasource"]["uid"] == f"${{{chosen['name']}}}"
    names = {variable["name"] for variable in asked}
    used = set(re.findall(r"\$(\w+)", " ".join(ASKED))) - {"labels", "__rate_interval"}
    assert used == names == {"namespace", "connector"}
