"""A shop's connectors as an operator may find them one night: one failed, others wait or run."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sin
from typing import TYPE_CHECKING

from tests.unit.rest.memory_herder import MemoryHerder
from tests.unit.triage.office import SOURCE, TOPIC, Office
from worker.console.history import EVERY_S, Sample
from worker.console.port import Seen, Since
from worker.console.room import Room, Tools
from worker.dlq.headers import Sender, headers_of
from worker.dlq.port import DeadLetter
from worker.errors import FatalError, RecordError, Stage
from worker.letters.standing import LetterState
from worker.model import Origin, Outcome, Record, TopicPartition
from worker.overview.port import Group, GroupState, Member
from worker.overview.standing import BudgetUse, DaySpend, Letters, Spend, Standing, TopicLag
from worker.runtime.port import State, TargetState
from worker.runtime.refusals import BadRequestError, NotFoundError
from worker.runtime.trace import trace_of
from worker.telemetry.bill import Bill
from worker.telemetry.counters import Counters
from worker.telemetry.freshness import Freshness
from worker.telemetry.reading import ProviderReading, Reading, StoreReading
from worker.triage.outlook import Fate, Outlook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.letters.case import Case
    from worker.runtime.port import ConnectorStateInfo

POD = "vecsink-0.vecsink:8083"
PODS = (POD, "vecsink-1.vecsink:8083", "vecsink-2.vecsink:8083")
JSON = {
    "key.converter": "avro",
    "key.converter.schema.registry.url": "http://registry:8081",
    "value.converter": "avro",
    "value.converter.schema.registry.url": "http://registry:8081",
}
LETTERS = {
    "errors.tolerance": "all",
    "errors.deadletterqueue.topic.name": "products-dlq",
}
COHERE = {
    "embedder": "cohere",
    "embedder.model": "embed-v4.0",
    "embedder.api.key": "${env:COHERE_API_KEY}",
}
PINECONE = {
    "store": "pinecone",
    "store.index": "shop",
    "store.api.key": "sk-a-secret-that-stands-in-the-config",
}


def config(name: str, topics: str, tasks: int, **more: str) -> dict[str, str]:
    dotted = {key.replace("_", "."): text for key, text in more.items()}
    common = {"name": name, "connector.class": "EmbeddingSink", "tasks.max": str(tasks)}
    return {**common, "topics": topics, **JSON, **dotted}


class ShopHerder(MemoryHerder):
    """Tasks run on several pods; some were never taken."""

    def __init__(self) -> None:
        super().__init__()
        self.homeless: set[tuple[str, int]] = set()

    def status(self, name: str) -> ConnectorStateInfo:
        found = super().status(name)
        tasks = {
            number: replace(
                status,
                worker_id=PODS[number % len(PODS)],
                state=State.UNASSIGNED if (name, number) in self.homeless else status.state,
            )
            for number, status in found.tasks.items()
        }
        return replace(found, connector=replace(found.connector, worker_id=POD), tasks=tasks)


class Shop:
    """The herder, and a watcher that has seen an hour of it."""

    pod = POD

    def __init__(self) -> None:
        self.herder = ShopHerder()
        self.office = Office(partitions=3)
        self.rooms: dict[str, Room] = {}
        self.figures: dict[str, Seen] = {}
        self.is_owned = True
        self._began_s = time.time()

    def seen(self, connector: str) -> Seen:
        return self.figures.get(connector, Seen())

    def letters(self, connector: str) -> Room:
        if connector not in self.herder.connectors():
            raise NotFoundError.connector(connector)
        if connector not in self.rooms:
            raise BadRequestError(f"{connector} has no dead-letter topic: errors.tolerance is none")
        return self.rooms[connector]

    def open_letters(self, connector: str) -> None:
        """The letters of the office are this connector's."""
        office = self.office
        tools = Tools(
            mailbox=lambda: nullcontext(office.mailbox),
            closing=lambda: nullcontext(office.closing),
            foresight=lambda: nullcontext(Foresight()),  # type: ignore[arg-type]  # says the same
            places=lambda: {TopicPartition(SOURCE, partition) for partition in range(3)},
        )
        self.rooms[connector] = Room(TOPIC, tools)

    @contextmanager
    def owned(self, every_s: float = 0.02) -> Iterator[None]:
        """Within the block somebody owns the rows and answers what is asked."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(every_s):
                for partition in range(3):
                    self._answer(TopicPartition(SOURCE, partition))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _answer(self, place: TopicPartition) -> None:
        for letter in list(self.office.book.asked(place))[:1]:
            state = LetterState.SUPERSEDED if letter.offset % 5 == 4 else LetterState.REPLAYED
            note = "by a newer change of the row" if state is LetterState.SUPERSEDED else ""
            self.office.book.settle(letter, state, note)


class Foresight:
    """Knows what a replay would do."""

    def of(self, cases: Sequence[Case], *, force: bool, progress: object) -> Iterator[Outlook]:
        for case in cases:
            if case.letter.kind == "Undecodable":
                yield Outlook(case.id, Fate.FAILS, "Undecodable: schema 77 is not in the registry")
            elif case.id.offset % 5 == 4:
                yield Outlook(case.id, Fate.SUPERSEDED, "by a newer change of the row")
            else:
                yield Outlook(case.id, Fate.WRITTEN, "its text would be embedded")


def open_shop() -> Shop:
    """Six connectors and forty letters."""
    shop = Shop()
    for name, values in CONFIGS.items():
        target = TargetState.PAUSED if name == "customers" else TargetState.RUNNING
        shop.herder.create(name, values, target)
    shop.herder.fail("orders", 1, _refused())
    for name in CONFIGS:
        shop.figures[name] = _seen(name, shop.herder.status(name))
    shop.open_letters("products")
    write_letters(shop.office)
    return shop


CONFIGS: dict[str, dict[str, str]] = {
    "articles": config(
        "articles", "cms.public.articles", 1, embedder="local", store="qdrant",
        store_index="articles", store_url="http://qdrant:6333", document_chunk_tokens="400",
        document_fields="title, body",
    ),
    "customers": config(
        "customers", "shop.public.customers", 1, store="pgvector", store_index="customers",
        document_fields="name, notes", store_url="postgresql://postgres:5432/shop",
        store_user="vecsink",
    ) | COHERE | LETTERS,
    "order-lines": config(
        "order-lines", "shop.public.order_lines", 2, document_fields="product, note",
        store_namespace="order-lines",
    ) | COHERE | PINECONE,
    "orders": config(
        "orders", "shop.public.orders", 3, document_fields="summary, note",
        store_namespace="orders",
    ) | COHERE | PINECONE | LETTERS,
    "products": config(
        "products", SOURCE, 3, document_fields="Product: name, Category: category, description",
        metadata_fields="category, price, in_stock", store_namespace="products",
        budget_usd_per_day="5",
    ) | COHERE | PINECONE | LETTERS,
    "reviews": config(
        "reviews", "shop.public.reviews", 2, embedder="openai", store="pgvector",
        embedder_model="text-embedding-3-small", embedder_api_key="${env:OPENAI_API_KEY}",
        store_index="reviews", store_url="postgresql://postgres:5432/shop", store_user="vecsink",
        document_fields="title, text", budget_usd_per_day="2",
    ) | LETTERS,
}  # fmt: skip
_FIGURES: dict[str, tuple[int, float, float | None, int, float | None, str]] = {
    # rows behind, rows/s, USD today, open letters, budget's share, provider
    "articles": (0, 0.4, None, 0, None, "local"),
    "customers": (1_284, 0.0, 0.0121, 0, None, "cohere"),
    "order-lines": (3, 21.7, 0.4471, 0, None, "cohere"),
    "orders": (18_204, 9.3, 0.2214, 0, None, "cohere"),
    "products": (12, 47.9, 1.8392, 38, 0.3678, "cohere"),
    "reviews": (1_248_310, 412.0, 1.9704, 4, 0.9852, "openai"),
}


def _seen(name: str, status: ConnectorStateInfo) -> Seen:
    behind, rate, usd, letters, share, provider = _FIGURES[name]
    now = datetime.now(UTC)
    topics = CONFIGS[name]["topics"]
    members = tuple(
        Member(
            f"connect-{name}-{number}", f"10.4.0.{7 + number}", (TopicPartition(topics, number),)
        )
        for number, task in status.tasks.items()
        if task.state is State.RUNNING
    )
    partitions = max(3, len(status.tasks))
    standing = Standing(
        connector=name,
        group=Group(GroupState.RUNNING, members),
        lags=(TopicLag(topics, partitions, partitions, behind),),
        letters=Letters(
            f"{name}-dlq", letters + 9, letters,
            "TextRefused" if letters else None, now - timedelta(minutes=4) if letters else None,
        ) if "errors.tolerance" in CONFIGS[name] else None,
        days=_days(topics.rpartition(".")[2], usd, now),
        keeps_spend=True,
        budget=None if share is None
        else BudgetUse(f"${usd:.4f} of ${CONFIGS[name]['budget.usd.per.day']} spent", share),
    )  # fmt: skip
    since = Since(int((now - timedelta(minutes=13)).timestamp() * 1000), name == "orders")
    if name != "orders":
        since = Since(int((now - timedelta(hours=31)).timestamp() * 1000), is_exact=False)
    return Seen(
        standing=standing,
        standing_ms=int(now.timestamp() * 1000),
        rows_per_s=rate,
        reading=_reading(name, topics, provider, rate, behind),
        samples=_hour(behind, rate, usd or 0.0, is_late=behind > 1000),
        since=since,
    )


def _days(table: str, usd: float | None, now: datetime) -> tuple[DaySpend, ...]:
    shares = (1.0, 2.1, 1.7, 1.9, 2.3, 0.8, 0.6)
    days = []
    for back, share in enumerate(shares):
        tokens = int(share * (310_000 if usd is None else usd * 4_000_000))
        spend = Spend(tokens // 70, tokens // 6_000, tokens, None if usd is None else usd * share)
        days.append(DaySpend((now - timedelta(days=back)).date(), spend, {table: spend}))
    return tuple(days)


def _reading(name: str, topics: str, provider: str, rate: float, behind: int) -> Reading:
    freshness = Freshness()
    freshness.record(topics.rpartition(".")[2], [0] * 10, 300.0)
    records = int(rate * 3600) + 120
    return Reading(
        connector=name,
        group=f"connect-{name}",
        counters=Counters(
            records=records,
            outcomes=Counter(
                {Outcome.WRITTEN: records * 2 // 3, Outcome.UNCHANGED: records // 4,
                 Outcome.SUPERSEDED: records // 12}
            ),
            bill=Bill(records // 60, records * 2 // 3, records * 40, records * 0.000004),
            freshness=freshness,
        ),
        tasks=Counter({"RUNNING": 1}),
        buffered=min(behind, 4_096),
        in_flight=min(behind, 3),
        lag={topics: behind},
        lag_s={topics: 742.0 if name == "orders" else 0.0},
        provider=ProviderReading(
            provider, CONFIGS[name].get("embedder.model", "all-MiniLM-L6-v2"),
            "closed", 0, min(behind, 3), 2 if name == "reviews" else 0, 0,
        ),
        store=StoreReading(CONFIGS[name]["store"]),
    )  # fmt: skip


def _hour(behind: int, rate: float, usd: float, *, is_late: bool) -> list[Sample]:
    """Steady, with a wave; what is late has come so slowly."""
    now_ms, samples, counted = int(time.time() * 1000), [], [0] * 15
    finished = 0.0
    for number in range(360):
        left = 359 - number
        wave = 1 + 0.22 * sin(left / 17) + 0.1 * sin(left / 5)
        finished += rate * EVERY_S * wave
        fresh = int(rate * EVERY_S * wave)
        counted[1] += int(fresh * 0.55)
        counted[2] += int(fresh * (0.38 - 0.06 * sin(number / 29)))
        counted[3] += fresh - int(fresh * 0.93)
        held = behind * (number / 360) ** 2 if is_late else behind * wave
        samples.append(
            Sample(
                at_ms=now_ms - int((359 - number) * EVERY_S * 1000),
                behind=int(held),
                behind_s=2.0 * number if is_late else 0.0,
                finished=int(finished),
                texts=int(finished * 0.7),
                tokens=int(finished * 38),
                usd=usd * finished / max(1.0, rate * 3600),
                ages=tuple(counted),
            )
        )
    return samples


def _refused() -> str:
    error = FatalError(
        "Pinecone refuses the key (401): check store.api.key, and that it is of the project of "
        "index 'shop'"
    )
    error.__cause__ = PermissionError("401")
    return trace_of(error)


@dataclass(frozen=True)
class Reason:
    kind: str
    stage: Stage
    status: str
    message: str
    letters: int

    def error(self) -> RecordError:
        """Raised, so that it has a trace."""
        try:
            raise RecordError(self.message, stage=self.stage, kind=self.kind).coded(self.status)
        except RecordError as error:
            return error


REASONS = (
    Reason(
        "TextRefused",
        Stage.EMBED,
        "400",
        "cohere refuses the text (400): it holds nothing but control characters",
        17,
    ),
    Reason(
        "TextTooLong",
        Stage.EMBED,
        "",
        "the text has about 9,214 tokens, the model takes 8,192: set document.chunk.tokens",
        9,
    ),
    Reason(
        "UnavailableColumn",
        Stage.DOCUMENT,
        "",
        "description was not sent (TOAST), and neither the index nor an earlier change has it: "
        "set reselect.*, or REPLICA IDENTITY FULL",
        6,
    ),
    Reason("Undecodable", Stage.VALUE_CONVERTER, "", "schema 77 is not in the registry", 4),
    Reason(
        "PointRefused",
        Stage.STORE,
        "400",
        "pinecone refuses the metadata of the point (400): it has 43 KiB, 40 are allowed",
        2,
    ),
)


def write_letters(office: Office) -> None:
    """Thirty-eight of five classes, over three hours; one of them has failed twice."""
    now_ms = int(time.time() * 1000)
    reasons = [reason for reason in REASONS for _ in range(reason.letters)]
    for number, reason in enumerate(reasons, 1):
        ago_ms = (number * 277 % 173) * 60_000 + number * 1_000
        _write(office, number, reason, now_ms - ago_ms)
    first = office.found().all[0]
    office.fail_again(first.id)
    office.book.settle(first.id, LetterState.RETURNED, "it failed again")


def _write(office: Office, number: int, reason: Reason, at_ms: int) -> None:
    key, value = f'{{"id": {number}}}'.encode(), b'{"after": {"name": "SECRET ROW"}}'
    place, offset = number % 3, 88_000 + number * 37
    record = Record(SOURCE, place, offset, key, value, (), at_ms - 900, "source-id")
    origin = Origin("postgresql", "shop", "public", "products", at_ms - 1_400, 90_000_000 + number)
    letter = DeadLetter(record, reason.error(), 1 + number % 3, origin, at_ms)
    office.broker.produce(
        TOPIC,
        key,
        value,
        partition=place,
        headers=headers_of(letter, Sender("shop", place, "0.1.0")),
        timestamp_ms=record.timestamp_ms,
    )


def canaries() -> Mapping[str, str]:
    """What must never be answered."""
    return {"row": "SECRET ROW", "secret": PINECONE["store.api.key"]}
