"""Prometheus' own tool on the alert rules and on what the dashboard asks."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.stack import deploy_tools
from tests.stack.home import REPOSITORY
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from pathlib import Path

ALERTS = REPOSITORY / "deploy" / "alerts"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "vecsink.dashboard.json"


@pytest.fixture(scope="module")
def promtool() -> str:
    try:
        return deploy_tools.promtool()
    except StackUnavailable as error:
        pytest.skip(f"left out: {error}")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command], capture_output=True, text=True, check=False)


def test_the_rules_are_rules(promtool: str) -> None:
    done = run(promtool, "check", "rules", ALERTS / "vecsink.rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_when_it_should_and_not_before(promtool: str) -> None:
    done = run(promtool, "test", "rules", ALERTS / "vecsink.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_says_something_else_is_noticed(promtool: str, tmp_path: Path) -> None:
    rules = (ALERTS / "vecsink.rules.yml").read_text()
    (tmp_path / "vecsink.rules.yml").write_text(rules.replace(") > 60\n", ") > 600\n"))
    (tmp_path / "vecsink.test.yml").write_text((ALERTS / "vecsink.test.yml").read_text())
    assert run(promtool, "test", "rules", tmp_path / "vecsink.test.yml").returncode != 0


def test_what_the_dashboard_asks_is_promql(promtool: str, tmp_path: Path) -> None:
    variables = {"$__rate_interval": "5m", "$namespace": ".*", "$connector": ".*"}
    rules = []
    for number, asked in enumerate(expressions(json.loads(DASHBOARD.read_text()))):
        expression = asked
        for name, value in variables.items():
            expression = expression.replace(name, value)
        rules.append({"record": f"panel:{number}", "expr": expression})
    assert len(rules) > 20
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = run(promtool, "check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions(board: Any) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
