"""``vecsink explain`` on real servers: a row for each of the usual fates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.stack.shops import FIELDS, METADATA, PRODUCTS, open_shop
from tests.stack.worker_process import committed, vecsink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from tests.stack.bench import Bench
    from tests.stack.stack import Stack

REFUSED = "poison"
MORE = {"document.when": "category != 'hidden'", "embedder.refuse": REFUSED}


def explained(stack: Stack, file: Path, key: str, code: int = 0) -> Mapping[str, Any]:
    done = vecsink(
        "explain", str(file), key, "--json", CONNECT_BOOTSTRAP_SERVERS=stack.kafka.bootstrap
    )
    assert done.returncode == code, done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def test_every_fate_of_a_row_is_explained(stack: Stack, bench: Bench) -> None:
    with open_shop(stack, "postgres", "explained") as shop:
        shop.sql(PRODUCTS)
        shop.sql(
            "INSERT INTO products VALUES (1, 'tent', 'camping', 199.90, 'for two'), "
            "(2, 'stove', 'camping', 49.00, 'gas'), (3, 'rope', 'climbing', 20.00, NULL), "
            "(4, 'secret', 'hidden', 1.00, NULL), (5, 'lamp', 'camping', 9.00, NULL)"
        )
        with bench.captured(shop, "products", records=5) as topic:
            shop.sql("UPDATE products SET name = 'gas stove' WHERE id = 2")
            shop.sql("DELETE FROM products WHERE id = 3")
            shop.sql("UPDATE products SET description = %s WHERE id = 5", REFUSED)
            stack.kafka.topics.wait_for(topic, 9)
            worker = bench.worker(topic, FIELDS["products"], METADATA["products"], MORE)
            file = bench.folder / f"{bench.sink_name(topic)}.json"
            before = explained(stack, file, "1")
            worker.start("--until-caught-up")
            assert worker.wait() == 0, worker.log
            shop.sql("INSERT INTO products VALUES (6, 'axe', 'tools', 30.00, NULL)")
            shop.sql("UPDATE products SET price = 50 WHERE id = 2")
            stack.kafka.topics.wait_for(topic, 11)
            group = f"connect-{bench.sink_name(topic)}"
            offsets = committed(stack, group, topic)
            points = bench.index.points(topic)

            found = {
                key: explained(stack, file, key)
                for key in ("1", "id=2", '{"id": 3}', "4", "5", "6")
            }
            nowhere = explained(stack, file, "99", code=1)

            assert before["verdict"] == "not-yet"
            assert before["group"]["committed"] is None
            assert {key: one["verdict"] for key, one in found.items()} == {
                "1": "current",
                "id=2": "not-yet",
                '{"id": 3}': "deleted",
                "4": "filtered",
                "5": "dead-lettered",
                "6": "not-yet",
            }
            tent = found["1"]
            assert tent["row"] == {
                "id": 1,
                "name": "tent",
                "category": "camping",
                "price": "199.90",
                "description": "for two",
            }
            assert tent["document"]["fingerprint"] == tent["point"]["fingerprint"]
            assert tent["point"]["position"]["offset"] == tent["history"][-1]["offset"]
            assert tent["point"]["metadata"]["category"] == "camping"
            assert [step["op"] for step in found["id=2"]["history"]] == ["r", "u", "u"]
            assert "with the vector that the index has" in found["id=2"]["because"]
            assert [step["op"] for step in found['{"id": 3}']["history"]] == [
                "r", "d", "tombstone",
            ]  # fmt: skip
            assert found["4"]["document"]["when"] is False
            (letter,) = found["5"]["dead_letters"]
            assert letter["kind"] == "TextRefused"
            assert "its point as of offset" in found["5"]["because"]  # the change before took over
            assert "no point of it" in found["6"]["because"]
            assert nowhere["verdict"] == "not-found"
            assert nowhere["searched"]["whole_topic"]
            assert committed(stack, group, topic) == offsets
            assert bench.index.points(topic).keys() == points.keys()
