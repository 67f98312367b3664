"""A dead-letter topic from the first failure to all clear, on real servers, by its commands."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import murmur2

from tests.stack.oracle import decode
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import COMMAND, committed, eventually, vecsink
from worker.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.bench import Bench
    from tests.stack.shops import MySqlShop, PostgresShop
    from tests.stack.stack import Stack

POISON = "poison"
REFUSING = {"embedder.refuse": POISON, "dlq.max.replays": "1", "truncate.mode": "delete"}
HEALED = {key: value for key, value in REFUSING.items() if key != "embedder.refuse"}
LARGE = "(SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 300) n)"
"""About 10 kB that do not compress, so that Postgres keeps them apart (TOAST)."""


PARTITIONS = 3
"""Of the dead-letter topic, which two connectors share."""
CURED = ("--class", "TextRefused", "--class", "UnavailableColumn")


class Commands:
    """``vecsink dlq`` as an operator types it."""

    def __init__(self, stack: Stack, file: Path) -> None:
        self._file = str(file)
        self._bootstrap = stack.kafka.bootstrap

    def __call__(self, command: str, *given: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
        done = vecsink(
            "dlq", command, self._file, *given, "--json", CONNECT_BOOTSTRAP_SERVERS=self._bootstrap
        )
        assert done.returncode in codes, done.stderr
        made: dict[str, Any] = json.loads(done.stdout)
        return made

    def started(self, *given: str) -> subprocess.Popen[bytes]:
        """A replay that is not waited for."""
        return subprocess.Popen(
            [COMMAND, "dlq", "replay", self._file, *given],
            env={**os.environ, "CONNECT_BOOTSTRAP_SERVERS": self._bootstrap},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def states(self) -> dict[str, int]:
        states: dict[str, int] = self("list", "--limit", "0")["states"]
        return states


@contextmanager
def under_load(shop: PostgresShop | MySqlShop) -> Iterator[None]:
    """Other rows change all the time."""
    stop = threading.Event()

    def run() -> None:
        turn = 0
        while not stop.wait(0.05):
            turn += 1
            shop.sql(
                "UPDATE products SET description = 'turn ' || %s::text WHERE id = %s",
                str(turn),
                1 + turn % 40,
            )

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.timeout(600)
def test_from_the_first_failure_to_all_clear(stack: Stack, bench: Bench) -> None:  # noqa: PLR0915 - one incident
    with open_shop(stack, "postgres", "dead") as shop:
        shop.sql(PRODUCTS)
        shop.sql(
            "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, 'Text of ' || n"
            " FROM generate_series(1, 40) n"
        )
        with bench.captured(
            shop, "products", records=40, source={"skipped.operations": "none"}
        ) as topic:
            letters = f"{bench.sink_name(topic)}-dlq"
            stack.kafka.topics.create(letters, PARTITIONS, retention_ms="-1")
            refusing = bench.worker(topic, FIELDS["products"], METADATA["products"], REFUSING)
            dlq = Commands(stack, bench.folder / f"{bench.sink_name(topic)}.json")
            refusing.start()
            shop.sql(
                "INSERT INTO products SELECT n, 'early ' || n, 'tools', n, 'poison ' || n"
                " FROM generate_series(201, 203) n"
            )
            eventually(lambda: stack.kafka.topics.count(letters) == 3, "letters before a truncate")
            shop.sql("TRUNCATE products")
            shop.sql(
                "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, 'Text of ' || n"
                " FROM generate_series(1, 40) n"
            )
            shop.sql("INSERT INTO products VALUES (201, 'late', 'tools', 1, 'poison once more')")
            shop.sql(
                "INSERT INTO products SELECT n, 'bad ' || n, 'tools', n, 'poison ' || n"
                " FROM generate_series(41, 59) n"
            )
            shop.sql(f"INSERT INTO products VALUES (60, 'bad', 'poison', 1, {LARGE})")
            stack.kafka.topics.wait_for(topic, 105)
            stack.kafka.topics.send([broken_record(stack, topic, 50)])
            eventually(lambda: stack.kafka.topics.count(letters) == 25, "letters")
            # the rows change while their letters wait; of row 60 only the price is sent
            shop.sql("UPDATE products SET price = 77 WHERE id = 60")
            eventually(lambda: stack.kafka.topics.count(letters) == 26, "a partial change fails")
            shop.sql("UPDATE products SET description = 'good' WHERE id BETWEEN 41 AND 43")
            shop.sql("DELETE FROM products WHERE id BETWEEN 44 AND 46")
            shop.sql("UPDATE products SET id = 147 WHERE id = 47")
            eventually(lambda: stack.kafka.topics.count(letters) == 27, "the new key fails")

            found = dlq("list")
            assert found["states"] == {"open": 27}
            assert found["by_class"]["TextRefused"] == 25
            assert found["by_class"]["UnavailableColumn"] == 1
            assert found["by_table"] == {"public.products": 27}
            assert_as_they_came(stack, topic, letters)
            seen = dlq("show", place_of(found, "UnavailableColumn"))
            assert seen["row"]["price"] == "77.00"
            assert seen["unavailable"] == ["description"]
            assert len(seen["failures"]) == 1

            assert refusing.stop() == 0
            twin, theirs = another_connector(stack, bench, topic, letters)
            assert dlq("list", "--limit", "0")["other_records"] == theirs
            healed = bench.worker(topic, FIELDS["products"], METADATA["products"], HEALED)
            fates = dlq("replay", "--dry-run")["fates"]
            assert fates["superseded"] >= 10
            assert fates["fails"] >= 1
            assert fates["written"] >= 13
            assert dlq.states == {"open": 27}

            healed.start()
            with under_load(shop):
                slow = dlq.started("--rate", "4", *CURED)
                eventually(lambda: "replayed" in dlq.states, "first answers")
                slow.kill()
                healed.kill()
                slow.wait()
                healed.start()
                twins = [dlq.started(*CURED), dlq.started(*CURED)]
                assert [twin.wait(120) for twin in twins] == [0, 0]
            eventually(
                lambda: bench.index.assert_equals(topic, expected_products(shop)), "the table"
            )
            states = dlq.states
            assert states["open"] == 1, "what is broken stays so"
            assert states["superseded"] >= 10
            assert sum(states.values()) + theirs == stack.kafka.topics.count(letters)
            became = states_by_row(stack, topic, dlq)
            assert became[202] == became[203] == ["superseded"], "before the truncate"
            assert became[201] == ["replayed", "superseded"], "after it, and before it"
            assert_as_they_came(stack, topic, letters)
            assert healed.stop() == 0

            again = dlq("replay", codes=(1,))  # nobody runs, so the command does it
            assert (again["asked"], again["returned"]) == (1, 1)
            assert dlq.states.get("quarantined") == 1
            left = dlq("replay", codes=(1,))
            assert (left["asked"], left["in_quarantine"]) == (0, 1)
            closed = dlq("discard", "--all", "--reason", "cut off by a test")
            assert (closed["discarded"], closed["open"]) == (1, 0)
            done = committed(stack, f"connect-{bench.sink_name(topic)}-dlq", letters)
            assert sum(done.values()) == stack.kafka.topics.count(letters)
            bench.index.assert_equals(topic, expected_products(shop))
            assert twin.states == {"open": theirs}, "each has its own letters"


def another_connector(stack: Stack, bench: Bench, topic: str, letters: str) -> tuple[Commands, int]:
    """Has letters in the same topic; its commands, and how many."""
    before = stack.kafka.topics.count(letters)
    name = f"twin-{bench.sink_name(topic)}"
    config = {
        "name": name,
        "store.namespace": "twin",
        "embedder.refuse": POISON,
        "errors.deadletterqueue.topic.name": letters,
    }
    twin = bench.worker(topic, FIELDS["products"], METADATA["products"], config)
    twin.start("--until-caught-up")
    assert twin.wait() == 0
    theirs = stack.kafka.topics.count(letters) - before
    assert theirs > 20
    return Commands(stack, bench.folder / f"{name}.json"), theirs


def states_by_row(stack: Stack, topic: str, dlq: Commands) -> dict[int, list[str]]:
    """What became of the letters of each row, the newest first."""
    rows = {
        (one.partition, one.offset): decode(stack, one.key)["id"]
        for one in stack.kafka.topics.read(topic)
        if one.key is not None
    }
    found: defaultdict[int, list[str]] = defaultdict(list)
    for one in dlq("list", "--state", "all", "--limit", "1000")["records"]:
        found[rows[one["origin"]["partition"], one["origin"]["offset"]]].append(one["state"])
    return found


def broken_record(stack: Stack, topic: str, row: int) -> Record:
    """The row's record once more, cut off; with headers of its own."""
    whole = next(
        one
        for one in stack.kafka.topics.read(topic)
        if one.key is not None and decode(stack, one.key)["id"] == row
    )
    headers = (("h", b"1"), ("h", None))
    value = (whole.value or b"")[:20]
    return Record(topic, whole.partition, -1, whole.key, value, headers, 1_700_000_000_007)


def place_of(found: dict[str, Any], kind: str) -> str:
    letter = next(one for one in found["records"] if one["kind"] == kind)
    return f"{letter['partition']}:{letter['offset']}"


def assert_as_they_came(stack: Stack, topic: str, letters: str) -> None:
    """Every letter is its record byte for byte, and says where that stands."""
    originals = {(one.partition, one.offset): one for one in stack.kafka.topics.read(topic)}
    for letter in stack.kafka.topics.read(letters):
        told = dict(letter.headers)
        place = (
            int(told["__connect.errors.partition"] or b""),
            int(told["__connect.errors.offset"] or b""),
        )
        record = originals[place]
        assert (letter.key, letter.value) == (record.key, record.value)
        assert letter.headers[: len(record.headers)] == record.headers
        assert letter.timestamp_ms == record.timestamp_ms
        assert letter.partition == murmur2(letter.key or b"", PARTITIONS)
        topic_id = record.topic_id.replace("/", "_").replace("+", "-")  # as Kafka writes it
        assert told["__vecsink.errors.topic.id"] == topic_id.encode()
        row = decode(stack, record.key)["id"]
        said = b" ".join(value or b"" for _, value in letter.headers[len(record.headers) :])
        assert POISON.encode() not in said, row
