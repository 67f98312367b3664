"""``vecsink dlq``: what its commands print and write, on a broker of this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition
from typer.testing import CliRunner

from worker.cli.app import app
from worker.dlq.headers import Sender, headers_of
from worker.dlq.port import DeadLetter
from worker.errors import ConfigError, RecordError, Stage
from worker.model import Origin, Record
from worker.source.mock_cluster import MockCluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "shop.public.products",
    "key.converter": "json",
    "value.converter": "json",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
    "document.fields": "name, body",
    "embedder": "fake",
    "store": "memory",
    "errors.tolerance": "all",
}
TOPIC = "shop.public.products"
DLQ = "products-dlq"
FAILED_MS = 1_795_694_400_000
PRIVATE = "Anna Schmidt"
TRICK = "[red]\x1b[2J"
KINDS = ("TextRefused", "TextRefused", "TextRefused", "BrokenAvro")


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with MockCluster() as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
        for row, kind in enumerate(KINDS):
            after = {"id": row, "name": PRIVATE, "body": "b"}
            source = {"ts_ms": FAILED_MS - 50, "schema": "public", "table": "products"}
            value = json.dumps({"op": "c", "after": after, "source": source}).encode()
            key = json.dumps({"id": row}).encode()
            producer.produce(TOPIC, key=key, value=value, partition=0)
            record = Record(TOPIC, 0, row, key, value, (), FAILED_MS)
            error = RecordError(f"refused {TRICK}", stage=Stage.EMBED, kind=kind).coded(400)
            origin = Origin("postgresql", "shop", "public", "products", FAILED_MS - 50, 77)
            dead = DeadLetter(record, error, 3, origin, FAILED_MS + 3_600_000 * row)
            headers: list[Any] = list(headers_of(dead, Sender("products", 0, "1.2.3")))
            producer.produce(DLQ, key=key, value=value, headers=headers, partition=0)
        assert producer.flush(30.0) == 0
        monkeypatch.setenv("CONNECT_BOOTSTRAP_SERVERS", cluster.bootstrap_servers)
        monkeypatch.setenv("COLUMNS", "160")
        yield cluster.bootstrap_servers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "products.json"
    made.write_text(json.dumps(CONNECTOR))
    return made


def dlq(*given: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["dlq", *map(str, given)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def made_by(*given: object, code: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(dlq(*given, "--json", code=code).stdout)
    return made


@pytest.mark.usefixtures("brokers")
def test_letters_are_counted_and_listed_without_their_rows(file: Path) -> None:
    found = made_by("list", file)
    assert found["states"] == {"open": 4}
    assert (found["letters"], found["other_records"]) == (4, 0)
    assert found["by_class"] == {"TextRefused": 3, "BrokenAvro": 1}
    assert found["by_stage"] == {"EMBED": 4}
    assert found["by_table"] == {"public.products": 4}
    assert list(found["by_hour"].values()) == [1, 1, 1, 1]
    newest = found["records"][0]
    assert (newest["partition"], newest["offset"], newest["kind"]) == (0, 3, "BrokenAvro")
    assert newest["origin"] == {"topic": TOPIC, "partition": 0, "offset": 3}
    assert (newest["status"], newest["attempts"], newest["replays"]) == ("400", 3, 0)
    assert newest["source_position"] == 77
    shown = dlq("list", file).stdout
    assert "4 letters: 4 open" in shown
    assert "TextRefused" in shown
    assert "\x1b[2J" not in shown
    assert "[red]" in shown
    assert PRIVATE not in shown + json.dumps(found)


@pytest.mark.usefixtures("brokers")
def test_filters_choose_and_a_limit_cuts_the_records_alone(file: Path) -> None:
    assert made_by("list", file, "--class", "BrokenAvro")["letters"] == 1
    assert made_by("list", file, "--key", "id=2")["records"][0]["offset"] == 2
    assert made_by("list", file, "--at", "0:1-2", "--limit", 1)["letters"] == 2
    assert len(made_by("list", file, "--limit", 1)["records"]) == 1
    assert made_by("list", file, "--state", "discarded")["letters"] == 0
    assert "3 more" in dlq("list", file, "--limit", 1).stdout


def test_discarded_letters_keep_their_reason_and_the_group_shows_what_is_left(
    brokers: str, file: Path
) -> None:
    made = made_by("discard", file, "--class", "TextRefused", "--reason", "test data")
    assert (made["discarded"], made["open"]) == (3, 1)
    again = made_by("discard", file, "--class", "TextRefused", "--reason", "again")
    assert again["discarded"] == 0
    found = made_by("list", file, "--state", "all")
    assert found["states"] == {"discarded": 3, "open": 1}
    assert [one["standing"]["note"] for one in found["records"]] == [None, *["test data"] * 3]
    assert committed(brokers) == 3


@pytest.mark.usefixtures("brokers")
def test_nothing_is_discarded_without_a_reason_or_a_choice(file: Path) -> None:
    with pytest.raises(ConfigError, match="--all"):
        dlq("discard", file, "--reason", "why not")
    with pytest.raises(ConfigError, match="reason"):
        dlq("discard", file, "--all", "--reason", " ")
    assert made_by("list", file)["states"] == {"open": 4}


@pytest.mark.usefixtures("brokers")
def test_one_letter_is_shown_with_its_row_and_what_would_happen(file: Path) -> None:
    found = made_by("show", file, "0:2")
    assert found["row"] == {"id": 2, "name": PRIVATE, "body": "b"}
    assert found["text"] == f"{PRIVATE}\nb"
    assert found["failures"][0]["class"] == "TextRefused"
    assert "RecordError" in found["failures"][0]["stack_trace"]
    assert found["record"]["headers"] == []
    assert found["now"]["fate"] in {"written", "undecided"}
    shown = dlq("show", file, "0:2").stdout
    assert "Its row (content of your database)" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.usefixtures("brokers")
def test_a_letter_that_is_not_there_cannot_be_shown(file: Path) -> None:
    with pytest.raises(ConfigError, match="no letter at 0:99"):
        dlq("show", file, "0:99")
    with pytest.raises(ConfigError, match="not one letter"):
        dlq("show", file, "0:1-2")


@pytest.mark.usefixtures("brokers")
def test_a_dry_run_says_what_would_become_of_each(file: Path) -> None:
    made = made_by("replay", file, "--dry-run")
    assert made["letters"] == 4
    assert sum(made["fates"].values()) == 4
    assert "Nothing was changed" in dlq("replay", file, "--dry-run").stdout
    assert made_by("list", file)["states"] == {"open": 4}


@pytest.mark.usefixtures("brokers")
def test_without_a_dead_letter_topic_the_commands_say_so(tmp_path: Path) -> None:
    file = tmp_path / "strict.json"
    file.write_text(json.dumps({**CONNECTOR, "errors.tolerance": "none"}))
    with pytest.raises(ConfigError, match="has no dead-letter topic"):
        dlq("list", file)


def committed(brokers: str) -> int:
    """Of the group that has no members."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "connect-products-dlq"})
    (place,) = consumer.committed([KafkaPartition(DLQ, 0)], timeout=10.0)
    consumer.close()
    return place.offset


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["dlq", "--help"]).stdout
    assert all(name in shown for name in ("list", "show", "replay", "discard", "watch"))
