"""``vecsink estimate``: what it prints, on a broker of this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from worker.cli.estimate import estimate
from worker.errors import ConfigError, FatalError, RetriableError
from worker.pinecone_local.server import PineconeLocal, Settings
from worker.source.mock_cluster import MockCluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "products",
    "key.converter": "json",
    "value.converter": "json",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}
PRICED = {
    "embedder": "openai",
    "embedder.base.url": "http://127.0.0.1:9/v1",
    "embedder.price.usd.per.million.tokens": "1000",
    "embedder.tokens.per.minute": "300",
    "budget.usd.per.day": "0.5",
}
ROWS = 300
TEXT = "thirty bytes of text for each."


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    with MockCluster() as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
        for row in range(ROWS):
            value = {"op": "r", "after": {"id": row, "name": f"{row:04}{TEXT[4:]}"}, "source": {}}
            producer.produce("products", key=json.dumps({"id": row}), value=json.dumps(value))
        producer.flush()
        yield cluster.bootstrap_servers


@pytest.fixture(autouse=True)
def _reached(monkeypatch: pytest.MonkeyPatch, brokers: str) -> None:
    monkeypatch.setenv("CONNECT_BOOTSTRAP_SERVERS", brokers)
    monkeypatch.setenv("COLUMNS", "200")


def file_of(folder: Path, changes: dict[str, str] | None = None) -> Path:
    file = folder / "products.json"
    file.write_text(json.dumps({**CONNECTOR, **(changes or {})}))
    return file


def run(file: Path, *, sample: int | None = None, as_json: bool = False) -> int:
    return estimate(file, worker_file=None, sample=sample, latency_ms=None, as_json=as_json)


def test_the_object_has_every_number_and_its_range(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(file_of(tmp_path, PRICED), as_json=True) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert found["records"]["embed"] == ROWS
    assert found["texts"] == {"low": 300, "expected": 300, "high": 300}
    assert found["tokens"] == {"low": 300 * 5, "expected": 300 * 8, "high": 300 * 38}
    assert found["usd"]["expected"] == pytest.approx(2.4)
    assert found["hours"]["expected"] == pytest.approx(8 / 60)
    assert found["hours_limited_by"] == "embedder.tokens.per.minute"
    assert found["days_of_budget"]["expected"] == pytest.approx(4.8)
    assert not found["sampled"]


def test_a_slip_in_the_workers_settings_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slip = tmp_path / "worker.properties"
    slip.write_text("rest.port=9000")
    file = file_of(tmp_path)
    estimate(file, worker_file=slip, sample=1, latency_ms=None, as_json=True)
    said = f"warning: {slip}: rest.port: ignored: unknown key; did you mean 'listeners'?\n"
    assert said in capsys.readouterr().err


def test_an_index_that_the_first_run_makes_is_empty(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with PineconeLocal(Settings(api_key="k")) as server:
        second = {
            "store": "pinecone",
            "store.index": "second",
            "store.api.key": "k",
            "store.url": server.url,
        }
        assert run(file_of(tmp_path, {**second, "store.create": "true"}), as_json=True) == 0
        assert json.loads(capsysbinary.readouterr().out)["records"]["embed"] == ROWS
        with pytest.raises(FatalError, match=r"or set store\.create=true"):
            run(file_of(tmp_path, second))


def test_the_table_says_what_it_rests_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file_of(tmp_path, PRICED)) == 0
    out = capsys.readouterr().out
    for part in ("300 records to read", "$2.40", "at an assumed 0.5 s", "which is the safe bound"):
        assert part in out


def test_without_a_price_there_are_tokens_and_no_dollars(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file_of(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "No price is known" in out
    assert "$" not in out


def test_a_sample_says_that_it_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file_of(tmp_path), sample=60) == 0
    out = capsys.readouterr().out
    assert "about 300 records to read" in out
    assert "Extrapolated from" in out


def test_topics_that_do_not_exist_are_named_as_missing(tmp_path: Path) -> None:
    with pytest.raises(RetriableError, match="none of the topics exists"):
        run(file_of(tmp_path, {"topics": "nothing-here"}))


def test_a_budget_in_dollars_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="price"):
        run(file_of(tmp_path, {"budget.usd.per.day": "1"}))
