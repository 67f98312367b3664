"""``vecsink pinecone-local`` as a user starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
from pinecone import Pinecone, ServerlessSpec

from worker.cli.pinecone_local import faults_of, ports_of
from worker.errors import ConfigError

COMMAND = [sys.executable, "-c", "from worker.cli.app import main; main()", "pinecone-local"]
OPTIONS = ["--port", "0", "--data-ports", ""]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_official_client_until_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, *OPTIONS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert url is not None
        with Pinecone(api_key="any", host=url[0]) as client:
            spec = ServerlessSpec(cloud="aws", region="us-east-1")
            client.create_index(name="shop", dimension=2, metric="cosine", spec=spec)
            with client.Index("shop") as index:
                index.upsert(vectors=[{"id": "1", "values": [1.0, 0.0]}])
                assert index.query(vector=[1.0, 0.1], top_k=1).matches[0].id == "1"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_a_port_that_is_taken_is_a_matter_of_the_surroundings() -> None:
    with subprocess.Popen([*COMMAND, *OPTIONS], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        taken = first.stdout.readline().split(";")[0].rsplit(":", 1)[1]
        second = subprocess.run(
            [*COMMAND, "--port", taken], capture_output=True, text=True, timeout=60, check=False
        )
        first.terminate()
        first.communicate(timeout=60)
    assert second.returncode == 3
    assert "in use" in second.stderr


@pytest.mark.parametrize(
    ("text", "ports"),
    [("5081-5083", (5081, 5082, 5083)), ("7000, 7002", (7000, 7002)), ("", ())],
)
def test_data_ports_are_ranges_and_single_ports(text: str, ports: tuple[int, ...]) -> None:
    assert ports_of(text) == ports


@pytest.mark.parametrize("text", ["many", "5090-5081", "0", "70000"])
def test_other_data_ports_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="5081-5180"):
        ports_of(text)


def test_rules_say_which_calls_fail() -> None:
    faults = faults_of(['{"operations": ["upsert"], "count": 2}'], latency_s=0.5)
    assert (faults.latency_s, faults.rules[0].count) == (0.5, 2)


@pytest.mark.parametrize("rule", ['{"operation": "upsert"}', "[]", "upsert"])
def test_a_rule_that_is_none_is_a_configuration_error(rule: str) -> None:
    with pytest.raises(ConfigError, match="keys of --fail"):
        faults_of([rule])


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_served() -> None:
    process = subprocess.run(
        [*COMMAND, *OPTIONS, "--data", "/proc/nope"], capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert "--data: the folder /proc/nope cannot be made" in process.stderr
