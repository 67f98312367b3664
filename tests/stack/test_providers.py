"""Bad days of a provider: nothing is lost, nothing is blamed, nothing answered is paid twice."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.stack.index import DIMENSIONS
from tests.stack.shops import FIELDS, METADATA, PRODUCTS, expected_products, open_shop
from tests.stack.worker_process import eventually
from worker.provider_local.faults import Fate, FaultRule, Faults, Kind
from worker.provider_local.server import ProviderLocal, Settings
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.bench import Bench
    from tests.stack.shops import Shop
    from tests.stack.stack import Stack
    from tests.stack.worker_process import WorkerProcess

MODEL = "text-embedding-3-small"
TEXTS_PER_CALL = 32
BUDGET = 10_000
made_by_the_model = partial(vectors_of, model=MODEL, length=DIMENSIONS, input_type="")


@dataclass(slots=True)
class Scene:
    """A captured table, and a provider that counts."""

    bench: Bench
    provider: ProviderLocal
    shop: Shop
    topic: str

    def worker(self, **more: str) -> WorkerProcess:
        """One that is not started; keys with ``_`` for ``.``."""
        keys = {
            "embedder": "openai",
            "embedder.model": MODEL,
            "embedder.base.url": f"{self.provider.url}/openai/v1",
            "embedder.api.key": "good",
            "embedder.texts.per.call": str(TEXTS_PER_CALL),
            **{key.replace("_", "."): value for key, value in more.items()},
        }
        return self.bench.worker(self.topic, FIELDS["products"], METADATA["products"], keys)

    def count(self, what: str) -> int:
        """A number of the provider, such as ``texts`` that it billed."""
        return self.provider.stats.get("openai", {}).get(what, 0)

    @property
    def dead(self) -> int:
        return self.bench.stack.kafka.topics.count(f"{self.bench.sink_name(self.topic)}-dlq")

    def assert_equal(self, *, without: str = "") -> None:
        """The index is the table, but for one row."""
        expected = expected_products(self.shop)
        expected.pop(without, None)
        self.bench.index.assert_equals(self.topic, expected, made_by_the_model)

    def insert(self, rows: int, text: str = "'Text of ' || n") -> None:
        self.shop.sql(
            f"INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, {text}"
            " FROM generate_series(1, %s::int) n",
            rows,
        )


@pytest.fixture
def provider() -> Iterator[ProviderLocal]:
    with ProviderLocal(Settings(faults=Faults(latency_s=0.05))) as local:
        yield local


@pytest.fixture
def scene(
    stack: Stack, bench: Bench, provider: ProviderLocal, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    name = f"pay_{abs(hash(request.node.name)) % 10**8}"
    with open_shop(stack, "postgres", name) as shop:
        shop.sql(PRODUCTS)
        shop.sql("INSERT INTO products VALUES (0, 'first', 'tools', 0, 'The first text')")
        with bench.captured(shop, "products") as topic:
            yield Scene(bench, provider, shop, topic)


def test_ten_seconds_of_429_cost_nothing_twice_and_blame_nobody(scene: Scene) -> None:
    scene.insert(1000)
    limited = FaultRule(status=429, headers={"retry-after": "1"}, skip=4, seconds=10)
    scene.provider.faults = Faults(latency_s=0.05, rules=[limited])
    worker = scene.worker()
    worker.start()
    eventually(scene.assert_equal, "equal")
    assert worker.stop() == 0
    assert "Task " not in worker.log, "a task failed"
    assert (scene.count("texts"), scene.count("repeated"), scene.dead) == (1001, 0, 0)
    assert scene.count("errors") < 40, "somebody kept asking during the wait"


def test_a_key_revoked_in_mid_stream_ends_the_task_and_a_good_one_pays_only_for_the_rest(
    scene: Scene,
) -> None:
    scene.insert(2000)
    revoked = FaultRule(status=401, code="invalid_api_key", skip=20)
    scene.provider.faults = Faults(latency_s=0.05, rules=[revoked])
    worker = scene.worker()
    worker.start()
    assert worker.wait() == 1
    assert "embedder.api.key is not valid" in worker.log
    scene.bench.assert_no_commit_ahead(scene.topic)
    assert len(scene.bench.index.points(scene.topic)) == scene.count("texts")
    scene.provider.faults = Faults()
    worker.start()
    eventually(scene.assert_equal, "equal")
    assert worker.stop() == 0
    assert (scene.count("texts"), scene.count("repeated"), scene.dead) == (2001, 0, 0)


def test_one_poison_text_among_thousands_goes_to_the_dlq_alone(scene: Scene) -> None:
    scene.insert(3000, "CASE n WHEN 1234 THEN 'POISON' ELSE 'Text of ' || n END")
    scene.provider.faults = Faults(markers={"POISON": Fate.REFUSED})
    worker = scene.worker()
    worker.start()
    eventually(lambda: scene.assert_equal(without="1234"), "all others")
    eventually(lambda: scene.dead == 1, "the dead letter")
    assert worker.stop() == 0
    assert (scene.count("texts"), scene.count("repeated"), scene.dead) == (3000, 0, 1)


def test_connections_that_are_cut_cost_what_was_not_answered_and_nothing_else(
    scene: Scene,
) -> None:
    scene.insert(1000)
    before = FaultRule(kind=Kind.CUT, skip=3, count=4)
    after = FaultRule(kind=Kind.CUT, applied=True, skip=12, count=2)
    scene.provider.faults = Faults(latency_s=0.05, rules=[before, after])
    worker = scene.worker()
    worker.start()
    eventually(scene.assert_equal, "equal")
    assert worker.stop() == 0
    assert "Task " not in worker.log, "a task failed"
    assert scene.count("repeated") <= 2 * TEXTS_PER_CALL
    assert scene.count("texts") == 1001 + scene.count("repeated")
    assert scene.dead == 0


def test_a_budget_stops_at_nine_tenths_or_more_and_only_what_costs_waits(scene: Scene) -> None:
    scene.insert(300, "repeat('word ', 10 + n * 37 %% 300) || n")
    worker = scene.worker(budget_tokens_per_day=str(BUDGET))
    worker.start()
    eventually(lambda: "Paused by the budget" in worker.log, "the end of the budget")
    time.sleep(2.0)  # the last rows that were read may still be tried
    spent = scene.count("tokens")
    assert 0.9 * BUDGET <= spent <= BUDGET
    stored = scene.bench.index.points(scene.topic)
    changed, deleted, *_ = stored
    waiting = next(row for row in expected_products(scene.shop) if row not in stored)
    scene.shop.sql("UPDATE products SET price = 7 WHERE id = %s", int(changed))
    scene.shop.sql("DELETE FROM products WHERE id IN (%s, %s)", int(deleted), int(waiting))
    eventually(lambda: deleted not in scene.bench.index.points(scene.topic), "the delete")
    eventually(
        lambda: scene.bench.index.points(scene.topic)[changed].metadata["price"] == 7,
        "the metadata",
    )
    worker.kill()
    worker.start()
    eventually(lambda: worker.log.count("Paused by the budget") == 2, "still spent")
    assert scene.count("tokens") == spent
    assert worker.stop() == 0
    raised = scene.worker(budget_tokens_per_day="1000000")
    raised.start()
    eventually(scene.assert_equal, "equal")
    assert raised.stop() == 0
    assert (scene.count("repeated"), scene.dead) == (0, 0)


def test_after_a_kill_only_the_batches_in_flight_are_paid_again(scene: Scene) -> None:
    scene.insert(2000)
    scene.provider.faults = Faults(latency_s=0.3)
    rows, batches = 64, 3
    worker = scene.worker(batch_max_rows=str(rows), max_in_flight=str(batches))
    worker.start()
    eventually(lambda: scene.count("calls") >= 15, "some calls")
    worker.kill()
    scene.bench.assert_no_commit_ahead(scene.topic)
    scene.provider.faults = Faults()
    worker.start()
    eventually(scene.assert_equal, "equal")
    assert worker.stop() == 0
    assert scene.count("repeated") <= rows * batches
    assert scene.count("texts") == 2001 + scene.count("repeated")
    assert scene.dead == 0


@pytest.mark.parametrize("words", ["10 + n * 37 %% 300", "60"])
def test_a_budget_is_used_to_nine_tenths_also_when_the_worker_is_killed_in_between(
    scene: Scene, words: str
) -> None:
    scene.insert(300, f"repeat('word ', {words}) || n")
    worker = scene.worker(budget_tokens_per_day=str(BUDGET))
    worker.start()
    eventually(lambda: scene.count("tokens") > 0.3 * BUDGET, "a third is spent")
    worker.kill()
    worker.start()
    eventually(lambda: "Paused by the budget" in worker.log, "the end of the budget")
    time.sleep(2.0)  # the last rows that were read may still be tried
    assert 0.9 * BUDGET <= scene.count("tokens") <= BUDGET
    assert worker.stop() == 0
