"""``vecsink explain``: what it prints, on a broker of this process."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.explain import explain
from worker.cli.explain_object import shown
from worker.dlq.headers import Sender, headers_of
from worker.dlq.port import DeadLetter
from worker.errors import ConfigError, RecordError, RetriableError, Stage
from worker.model import Record
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
    "document.fields": "name, body",
    "document.when": "name != 'hidden'",
    "embedder": "fake",
    "store": "memory",
    "errors.tolerance": "all",
}
ROWS = 300
DEAD = 5


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    with MockCluster() as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
        for row in range(ROWS):
            after = {
                "id": row,
                "name": f"n {row}",
                "body": "b" * 2000,
                "[red]secret": "no \x1b[2Jtrick",
            }
            if row == 7:
                after["name"] = "hidden"
            value = {"op": "r", "after": after, "source": {"ts_ms": 1_700_000_000_000}}
            producer.produce(
                "products", key=json.dumps({"id": row}), value=json.dumps(value), partition=0
            )
        error = RecordError("the text is refused", stage=Stage.EMBED, kind="TextRefused")
        record = Record("products", 0, DEAD, json.dumps({"id": DEAD}).encode(), b"{}")
        headers = headers_of(DeadLetter(record, error), Sender("products", 0, "1"))
        producer.produce("products-dlq", key=record.key, value=b"{}", headers=list(headers))
        assert producer.flush(30.0) == 0
        yield cluster.bootstrap_servers


@pytest.fixture(autouse=True)
def _reached(monkeypatch: pytest.MonkeyPatch, brokers: str) -> None:
    monkeypatch.setenv("CONNECT_BOOTSTRAP_SERVERS", brokers)
    monkeypatch.setenv("COLUMNS", "160")


def file_of(folder: Path, changes: dict[str, str] | None = None) -> Path:
    file = folder / "products.json"
    file.write_text(json.dumps({**CONNECTOR, **(changes or {})}))
    return file


def run(file: Path, key: str, *, limit: int | None = None, as_json: bool = False) -> int:
    return explain(file, key, worker_file=None, topic=None, limit=limit, as_json=as_json)


def object_of(
    capsysbinary: pytest.CaptureFixture[bytes], file: Path, key: str, code: int = 0
) -> dict[str, Any]:
    assert run(file, key, as_json=True) == code
    made: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    return made


def test_the_object_has_everything_and_cuts_what_is_long(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = object_of(capsysbinary, file_of(tmp_path), "42")
    assert found["verdict"] == "not-yet"
    assert "300 records behind in partition 0, 42 of them before this one" in found["because"]
    assert found["history"] == [
        {
            "partition": 0,
            "offset": 42,
            "op": "r",
            "committed_at": "2023-11-14T22:13:20.000Z",
            "record_at": found["history"][0]["record_at"],
            "unavailable": [],
            "moves_away": False,
            "moved_here": False,
            "error": None,
            "not_a_row": None,
        }
    ]
    assert found["row"]["body"].endswith("b… (2,000 characters)")
    document = found["document"]
    assert (document["namespace"], document["id"], document["when"]) == ("products", "42", True)
    assert document["text_bytes"] == len("n 42\n") + 2000
    assert document["fingerprint"]
    assert found["point"] is None
    assert found["group"] == {
        "partition": 0,
        "committed": None,
        "next_offset": 0,
        "end": ROWS,
        "lag": ROWS,
        "has_read_newest": False,
    }
    assert found["now"] == {
        "course": "embed",
        "error": None,
        "has_unwritten_dead_letter": False,
        "was_truncated": False,
    }


def test_a_dead_letter_says_what_failed_and_where_it_came_from(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = object_of(capsysbinary, file_of(tmp_path), f"id={DEAD}")
    assert found["verdict"] == "dead-lettered"
    (letter,) = found["dead_letters"]
    assert letter["kind"] == "TextRefused"
    assert letter["origin"] == {"topic": "products", "partition": 0, "offset": DEAD}


def test_the_report_begins_with_the_verdict_and_marks_row_content(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file_of(tmp_path), '{"id": 7}') == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith("not yet: the worker is 300 records behind")
    for part in (
        "document.when is false for it",
        "The newest row (content of your database)",
        "[red]secret  no \ufffd[2Jtrick",
        "committed in partition 0  nothing",
        "Its point in the index",
    ):
        assert part in out


def test_a_row_that_is_nowhere_ends_with_1(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = object_of(capsysbinary, file_of(tmp_path), "4711", code=1)
    assert found["verdict"] == "not-found"
    assert found["searched"] == {
        "records": ROWS,
        "whole_topic": True,
        "unreadable_keys": 0,
    }
    assert (found["row"], found["now"], found["history"]) == (None, None, [])


def test_a_limit_says_how_far_it_looked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file_of(tmp_path), "0", limit=40) == 1
    assert "no record of it in the last 40 records of products (--limit)" in capsys.readouterr().out


def test_no_secret_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "sk-hidden")
    secret = {"embedder": "openai", "embedder.api.key": "${env:KEY}"}
    assert run(file_of(tmp_path, secret), "42") == 0
    captured = capsys.readouterr()
    assert "sk-hidden" not in captured.out + captured.err


def test_topics_that_do_not_exist_are_named_as_missing(tmp_path: Path) -> None:
    with pytest.raises(RetriableError, match="none of the topics exists"):
        run(file_of(tmp_path, {"topics": "nothing-here"}), "42")


def test_several_topics_have_to_be_chosen_from(tmp_path: Path) -> None:
    letters = {"errors.deadletterqueue.topic.name": "other"}
    file = file_of(tmp_path, {"topics": "products,products-dlq", **letters})
    with pytest.raises(ConfigError, match="choose by --topic: products, products-dlq"):
        run(file, "42")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.binary()
        | st.decimals()
        | st.datetimes()
        | st.timedeltas(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_value_can_be_shown_and_is_short(value: Any) -> None:
    assert len(orjson.dumps(shown(value))) < 4000


def test_numbers_and_texts_are_shown_as_they_are() -> None:
    assert [shown(one) for one in (7, 2**70, Decimal("1.50"), "a\ud800", b"ab")] == [
        7, "1180591620717411303424", "1.50", "a\ufffd", "(2 bytes)",
    ]  # fmt: skip
