"""How ``vecsink status`` shows what it found."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta

import orjson
from rich.console import Console

from worker.cli.status_report import as_objects, report
from worker.model import TopicPartition
from worker.overview.port import Group, GroupState, Member
from worker.overview.standing import BudgetUse, DaySpend, Letters, Spend, Standing, TopicLag

TODAY = date(2026, 11, 26)
TOPIC = "shop.public.products"
QUIET = tuple(DaySpend(TODAY - timedelta(days=back), Spend(), {}) for back in range(7))


def busy() -> Standing:
    member = Member("connector-consumer-shop-0", "10.0.0.7", (TopicPartition(TOPIC, 0),))
    tables = {"products": Spend(10, 2, 900, 1.5), "reviews": Spend(1, 1, 100, 0.001)}
    today = DaySpend(TODAY, Spend(11, 2, 1000, 1.501), tables)
    return Standing(
        connector="shop",
        group=Group(GroupState.RUNNING, (member,)),
        lags=(TopicLag(TOPIC, partitions=3, held=1, behind=1234),),
        letters=Letters("shop-dlq", 2, 1, "TextTooLong", datetime(2026, 11, 26, 9, 5, tzinfo=UTC)),
        days=(today, *QUIET[1:]),
        keeps_spend=True,
        budget=BudgetUse("960 of 1,000 tokens spent", 0.96),
    )


def unknown() -> Standing:
    return Standing("new", Group(GroupState.NOT_RUNNING), (), None, QUIET, keeps_spend=False,
                    budget=None)  # fmt: skip


def shown(*standings: Standing) -> str:
    out = io.StringIO()
    Console(file=out, width=160).print(report(standings))
    return out.getvalue()


def test_a_person_sees_who_works_what_waits_what_failed_and_what_it_cost() -> None:
    text = shown(busy())
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert ["shop", "running", "1", "1 of 3", "1,234", "1"] in cells
    assert ["shop", "connector-consumer-shop-0", "10.0.0.7", "1"] in cells
    assert ["shop", "products", "today", "10", "2", "900", "$1.50"] in cells
    assert ["shop", "all", "today", "11", "2", "1,000", "$1.50"] in cells
    assert "shop-dlq: 2, of which 1 open, the last one TextTooLong, 2026-11-26 09:05 UTC" in text
    assert "960 of 1,000 tokens spent today, 96%" in text
    assert "probably paused until 00:00 UTC" in text


def test_what_nobody_knows_is_said_and_not_made_up() -> None:
    text = shown(unknown())
    assert "none of its topics exists" in text
    words = " ".join(text.split())
    assert "new: no member is in the group: no worker runs it, or it is stopped" in words
    assert "GET /connectors/new/status, says why" in words
    assert "no member" not in shown(busy())
    assert "no state topic yet" in text
    assert "$" not in text
    (found,) = as_objects([unknown()])["connectors"]
    assert (found["spend"], found["dead_letters"], found["budget"]) == (None, None, None)


def test_machines_get_the_same_with_keys_that_stay() -> None:
    (found,) = json.loads(orjson.dumps(as_objects([busy()])))["connectors"]
    assert list(found) == [
        "connector", "state", "members", "behind", "topics", "dead_letters", "spend", "budget",
    ]  # fmt: skip
    assert found["members"][0]["partitions"] == [f"{TOPIC}-0"]
    assert found["spend"][0]["day"] == "2026-11-26"
    assert found["spend"][0]["tables"]["products"] == {
        "texts": 10, "calls": 2, "tokens": 900, "usd": 1.5,
    }  # fmt: skip
    assert len(found["spend"]) == 7
    assert found["budget"]["probably_paused"] is True
