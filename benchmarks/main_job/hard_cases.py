"""Bad days of the main job, each with what was seen and the mark."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.broker import append
from benchmarks.main_job.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.main_job.place import Place
    from benchmarks.rows import Rows

DIMENSIONS = 384
_LATENCY_MS = (100.0, 20.0)
_LIMITED_S = 10.0
_CALLS_BEFORE = 60
_POISON = "thing 0010500"
"""In the text of one row, by its number."""
_IN_FLIGHT = 8 * 288
"""Rows of the batches in flight, with the defaults."""
_SESSION_S = 10.0
_UPDATES = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation beside its mark."""

    case: str
    what: str
    seen: str
    mark: str
    is_good: bool

    @classmethod
    def most(cls, case: str, what: str, seen: float, mark: float, unit: str = "") -> Seen:
        """A number that may be so high."""
        return cls(case, what, f"{seen:,.4g}{unit}", f"≤ {mark:,}{unit}", seen <= mark)

    @classmethod
    def exactly(cls, case: str, what: str, seen: int, mark: int) -> Seen:
        """A number that has to be this one."""
        return cls(case, what, f"{seen:,}", f"{mark:,}", seen == mark)


def limited(around: Place, rows: Rows) -> Iterator[Seen]:
    """After 60 calls every call is answered 429 with ``Retry-After: 1``, for ten seconds."""
    case, servers = "429 for 10 s", around.servers
    rule = {
        "status": 429,
        "headers": {"retry-after": "1"},
        "seconds": _LIMITED_S,
        "skip": _CALLS_BEFORE,
    }
    with (
        servers.index(DIMENSIONS) as index,
        around.worker(rows.topic, index, DIMENSIONS) as worker,
    ):
        servers.provider.set_faults(latency_s=_LATENCY_MS[0] / 1000, rules=[rule])
        worker.start()
        with Timeline(servers) as timeline:
            worker.finish()
        embedded = servers.provider.stats("cohere")
        yield Seen.exactly(case, "rows in the index", servers.vectors(index), rows.count)
        yield Seen.exactly(case, "rows in the DLQ", around.dead_letters(worker), 0)
        yield Seen.exactly(case, "texts paid twice", embedded["repeated"], 0)
        yield Seen.exactly(case, "texts paid", embedded["texts"], rows.count)
        yield Seen(case, "calls answered 429", str(embedded["limited"]), "", is_good=True)
        late_s = timeline.back_at_rate_s(_LIMITED_S)
        yield Seen.most(case, "back at the rate before, after the end", late_s, 2.0, " s")


def poison(around: Place, rows: Rows) -> Iterator[Seen]:
    """The provider refuses each call that holds one certain text."""
    case, servers = "one poison text", around.servers
    with (
        servers.index(DIMENSIONS) as index,
        around.worker(rows.topic, index, DIMENSIONS) as worker,
    ):
        servers.provider.set_faults(latency_s=_LATENCY_MS[0] / 1000, markers={_POISON: "refused"})
        worker.start()
        worker.finish()
        embedded, written = servers.provider.stats("cohere"), servers.pinecone.stats("upsert")
        seconds = (written["last_ms"] - embedded["first_ms"]) / 1000
        yield Seen.exactly(case, "rows in the index", servers.vectors(index), rows.count - 1)
        yield Seen.exactly(case, "rows in the DLQ", around.dead_letters(worker), 1)
        yield Seen.exactly(case, "texts paid twice", embedded["repeated"], 0)
        yield Seen.most(case, "calls for it", embedded["calls"] - -(-rows.count // 96), 16)
        yield Seen(case, "rows/s", f"{rows.count / seconds:,.0f}", "", is_good=True)


def killed(around: Place, rows: Rows, worker_id: str = "") -> Iterator[Seen]:
    """``kill -9`` in the middle, and a restart at once."""
    case = f"kill -9, worker.id={worker_id}" if worker_id else "kill -9"
    servers, longest_s = around.servers, 5.0 if worker_id else _SESSION_S + 5.0
    environment = {"CONNECT_WORKER_ID": worker_id} if worker_id else {}
    with (
        servers.index(DIMENSIONS) as index,
        around.worker(rows.topic, index, DIMENSIONS, environment) as worker,
    ):
        worker.start()
        _until(lambda: servers.provider.stats("cohere")["texts"] > rows.count // 3)
        worker.kill()
        time.sleep(1.0)  # what was under way arrives
        written = servers.pinecone.stats("upsert")["records"]
        worker.start()
        _until(lambda: servers.pinecone.stats("upsert")["records"] > written)
        first_write_s = (time.time() * 1000 - worker.started_ms) / 1000
        worker.finish()
        again = servers.provider.stats("cohere")["texts"] - rows.count
        yield Seen.exactly(case, "rows in the index", servers.vectors(index), rows.count)
        yield Seen.most(case, "texts paid again", again, _IN_FLIGHT)
        yield Seen.most(case, "first write after the restart", first_write_s, longest_s, " s")


def unchanged(around: Place, rows: Rows) -> Iterator[Seen]:
    """Updates of other columns, after all rows are in the index."""
    case, servers = "1,000 updates of other columns", around.servers
    with (
        servers.index(DIMENSIONS) as index,
        around.worker(rows.topic, index, DIMENSIONS) as worker,
    ):
        worker.start()
        worker.finish()
        servers.reset()
        append(around.kafka, rows.updates())
        worker.start()
        worker.finish()
        yield Seen.exactly(case, "texts paid", servers.provider.stats("cohere")["texts"], 0)
        written = servers.pinecone.stats("upsert")["records"]
        yield Seen.exactly(case, "rows written", written, rows.count)


def observe(around: Place, names: Callable[[str], bool]) -> Iterator[Seen]:
    """The cases whose names are wanted."""
    rows = around.topic("hard")
    cases: dict[str, Callable[[], Iterator[Seen]]] = {
        "limited": lambda: limited(around, rows),
        "poison": lambda: poison(around, rows),
        "killed": lambda: killed(around, rows),
        "killed-static": lambda: killed(around, rows, "bench"),
        "unchanged": lambda: unchanged(around, around.topic("updates", _UPDATES)),
    }
    for name, case in cases.items():
        if names(name):
            around.servers.set_latency(*_LATENCY_MS)
            around.servers.reset()
            yield from case()


def _until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline_s:
            raise TimeoutError("what was waited for never came")
        time.sleep(0.02)
