"""What is settled before a history begins: the tables, the connectors, the store, from its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.stack.histories.kinds import MYSQL, NUMBERS, PAIRS, POSTGRES
from tests.stack.histories.statements import Terms
from worker.document.chunking import Chunking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLAIN, FULL, OTHER = "goods_plain", "goods_full", "goods"
"""PostgreSQL with REPLICA IDENTITY DEFAULT, with FULL, and MySQL."""
_UNWRAP = "transforms.unwrap"
_FLAT_FIELDS = {
    "postgresql": "op,db,schema,table,lsn,source.ts_ms",
    "mysql": "op,db,table,file,pos,source.ts_ms",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one history."""

    terms: Sequence[Terms]
    """Of the tables, in the order above."""
    chunking: Chunking | None
    keeps_text: bool
    """``metadata.text``."""
    late_s: float
    """How late the store shows what was written."""
    reselects: bool
    """Whether the worker may read from PostgreSQL what Debezium could not send."""
    deletes: str | None
    """Of flattened records, how a delete comes; None for whole envelopes."""
    settings: Mapping[str, str]
    """Of the worker's connector."""

    @classmethod
    def of(cls, seed: int, *, may_be_late: bool) -> Circumstances:
        """Those of a history; ``may_be_late``: whether the store may show what was written late."""
        draw = random.Random(f"{seed} circumstances")
        tokens = draw.choice([0, 0, 0, 300])
        late_s = draw.choice([0.0, 0.0, 0.5, 2.0]) if may_be_late else 0.0
        reselects = draw.random() < 0.2
        flat = draw.choice(["rewrite", "rewrite-with-tombstone", "tombstone"])
        deletes = flat if draw.random() < 0.25 else None
        truncates = deletes is None and draw.random() < 0.7
        keeps_text = draw.random() < 0.3
        settle_s = late_s + (draw.choice([0.0, 1.0]) if not late_s else 1.0)
        settings = {
            "consumer.override.session.timeout.ms": "6000",
            **({"store.settle.ms": f"{settle_s * 1000:.0f}"} if may_be_late else {}),
            "batch.max.rows": draw.choice(["5", "288"]),
            "cache.max.rows": draw.choice(["10", "100000"]),
            "tasks.max": draw.choice(["1", "1", "2"]),
            "document.chunk.tokens": str(tokens),
            "metadata.text": str(keeps_text).lower(),
            "truncate.mode": "delete",
        }
        postgres, mysql = (POSTGRES, True), (MYSQL, False)
        kinds = [(PLAIN, postgres, reselects), (FULL, postgres, True), (OTHER, mysql, True)]
        terms = [
            Terms(
                table=table,
                keys=draw.choice([NUMBERS, PAIRS]),
                odd=odd,
                is_postgres=is_postgres,
                sends_large=sends_large,
                truncates=truncates,
            )
            for table, (odd, is_postgres), sends_large in kinds
        ]
        chunking = Chunking(tokens) if tokens else None
        return cls(terms, chunking, keeps_text, late_s, reselects, deletes, settings)

    def pieces(self, text: str) -> Sequence[str]:
        """What is embedded for a text."""
        return (text,) if self.chunking is None else self.chunking.split(text)

    def source(self, database: str) -> dict[str, str]:
        """Debezium's settings."""
        common = {"incremental.snapshot.chunk.size": "7", "skipped.operations": "none"}
        if database == "postgresql":  # else a snapshot after an ALTER has a plan from before it
            common["driver.prepareThreshold"] = "0"
        if self.deletes is None:
            return common
        return common | {
            "transforms": "unwrap",
            f"{_UNWRAP}.type": "io.debezium.transforms.ExtractNewRecordState",
            f"{_UNWRAP}.delete.tombstone.handling.mode": self.deletes,
            f"{_UNWRAP}.add.fields": _FLAT_FIELDS[database],
        }
