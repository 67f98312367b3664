"""Connectors are looked at all the time, and Kafka is asked only while somebody looks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.rest.conftest import CONFIG
from tests.unit.rest.memory_herder import MemoryHerder
from worker.attending import Attendant
from worker.config.load_worker import load_worker
from worker.errors import ConfigError
from worker.metering import Metering
from worker.runtime.port import TargetState
from worker.runtime.refusals import BadRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from worker.config.connector import ConnectorConfig

PATIENCE_S = 60.0


class Reads:
    """Every config is wrong, so that nothing asks for a broker."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, values: Mapping[str, str], origin: str) -> ConnectorConfig:
        self.read.append(origin)
        raise ConfigError("store.index: expected a name")


@pytest.fixture
def herder() -> MemoryHerder:
    made = MemoryHerder()
    made.create("docs", {"name": "docs", **CONFIG}, TargetState.RUNNING)
    return made


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def attendant(herder: MemoryHerder, reads: Reads) -> Iterator[Attendant]:
    worker = load_worker(environ={}).require()
    made = Attendant(worker, herder, Metering(list), "pod-0:8083", reads)
    made.start()
    yield made
    made.close()


def eventually(holds: Callable[[], object]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_nobody_asks_before_somebody_looks(attendant: Attendant, reads: Reads) -> None:
    eventually(lambda: attendant._watched)
    assert reads.read == []
    attendant.seen("docs")
    eventually(lambda: reads.read == ["docs"])


def test_a_config_that_cannot_be_used_is_why_there_are_no_figures(attendant: Attendant) -> None:
    eventually(lambda: attendant.seen("docs").problem)
    seen = attendant.seen("docs")
    assert seen.problem == "Its configuration cannot be used: store.index: expected a name"
    assert seen.standing is None
    with pytest.raises(BadRequestError, match=r"store\.index"):
        attendant.letters("docs")


def test_how_long_is_exact_once_the_change_was_seen(
    attendant: Attendant, herder: MemoryHerder
) -> None:
    eventually(lambda: attendant.seen("docs").since)
    first = attendant.seen("docs").since
    assert first is not None
    assert not first.is_exact
    herder.pause("docs")
    attendant._wake.set()
    eventually(lambda: attendant.seen("docs").since != first)
    changed = attendant.seen("docs").since
    assert changed is not None
    assert changed.is_exact
    assert len(attendant.seen("docs").samples) == 1


def test_what_was_deleted_is_forgotten(attendant: Attendant, herder: MemoryHerder) -> None:
    eventually(lambda: attendant.seen("docs").since)
    herder.delete("docs")
    attendant._wake.set()
    eventually(lambda: attendant.seen("docs").since is None)
    with pytest.raises(NotFoundError):
        attendant.letters("docs")
