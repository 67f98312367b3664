"""``vecsink provider-local`` as a user starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import pytest

from worker.cli.provider_local import faults_of
from worker.errors import ConfigError
from worker.provider_local.faults import Fate, Kind

COMMAND = [sys.executable, "-c", "from worker.cli.app import main; main()", "provider-local"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    options = ["--port", "0", "--fail", '{"status": 503, "count": 1}', "--inputs-per-minute", "2"]
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert url is not None
        body = {"model": "voyage-4", "input": ["x", "y"]}
        with httpx.Client(headers={"authorization": "Bearer any"}) as http:
            statuses = [
                http.post(f"{url[0]}/voyage/v1/embeddings", json=body).status_code for _ in range(3)
            ]
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert statuses == [503, 200, 429]
    assert (process.returncode, err) == (0, "")


def test_a_port_that_is_taken_is_a_matter_of_the_surroundings() -> None:
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        taken = first.stdout.readline().split(";")[0].rsplit(":", 1)[1]
        second = subprocess.run(
            [*COMMAND, "--port", taken], capture_output=True, text=True, timeout=60, check=False
        )
        first.terminate()
        first.communicate(timeout=60)
    assert second.returncode == 3
    assert "in use" in second.stderr


def test_switches_become_faults() -> None:
    faults = faults_of(
        ['{"kind": "cut", "count": 2}'], ["a=b=refused"], {"inputs": 2000}, latency_s=0.5
    )
    assert faults.rules[0].kind is Kind.CUT
    assert faults.markers == {"a=b": Fate.REFUSED}
    assert (faults.per_minute.inputs, faults.latency_s) == (2000, 0.5)


@pytest.mark.parametrize(
    ("rules", "markers", "message"),
    [
        (["cut"], [], "--fail: expected JSON"),
        (['{"operation": "embed"}'], [], "rules.0.operation"),
        ([], ["POISON"], "markers"),
        ([], ["POISON=explodes"], "markers.POISON"),
    ],
)
def test_other_switches_are_refused(rules: list[str], markers: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        faults_of(rules, markers, {})
