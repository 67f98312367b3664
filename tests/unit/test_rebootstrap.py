"""When a client that knows no broker is told of its servers again."""

from __future__ import annotations

from worker.clock import FakeClock
from worker.rebootstrap import Librdkafka, Rebootstrap, librdkafka

SERVERS = "kafka-1:9092,kafka-2:9092"
CLIENT = object()


class FakeNative:
    def __init__(self) -> None:
        self.knows = True
        self.looks = 0
        self.told: list[tuple[object, str]] = []

    def knows_brokers(self, client: object) -> bool:
        self.looks += 1
        return self.knows

    def add_brokers(self, client: object, servers: str) -> None:
        self.told.append((client, servers))


class Scene:
    def __init__(self) -> None:
        self.clock, self.native = FakeClock(), FakeNative()
        self.rebootstrap = Rebootstrap(SERVERS, self.native, self.clock)

    def poll_for(self, seconds: int) -> None:
        for _ in range(8 * seconds):
            self.rebootstrap.look(CLIENT)
            self.clock.advance(0.125)


def test_a_client_that_has_forgotten_all_brokers_is_told_of_its_servers_within_seconds() -> None:
    scene = Scene()
    scene.poll_for(10)
    scene.native.knows = False
    scene.poll_for(5)
    assert scene.native.told == [(CLIENT, SERVERS)]


def test_while_brokers_are_known_nothing_is_told() -> None:
    scene = Scene()
    scene.poll_for(600)
    assert scene.native.told == []


def test_what_a_client_forgets_for_a_moment_is_not_told() -> None:
    scene = Scene()
    scene.poll_for(2)
    scene.native.knows = False
    scene.poll_for(2)
    scene.native.knows = True
    scene.poll_for(600)
    assert scene.native.told == []


def test_a_client_is_told_again_every_half_minute_while_it_knows_none() -> None:
    scene = Scene()
    scene.poll_for(2)
    scene.native.knows = False
    scene.poll_for(5 + 3 * 30)
    assert len(scene.native.told) == 4


def test_a_client_that_never_knew_one_is_told_every_half_minute() -> None:
    scene = Scene()
    scene.native.knows = False
    scene.poll_for(75)
    assert len(scene.native.told) == 2


def test_librdkafka_is_asked_every_two_seconds_however_often_somebody_polls() -> None:
    scene = Scene()
    scene.poll_for(100)
    assert scene.native.looks == 50


def test_the_release_of_confluent_kafka_that_is_installed_was_tried() -> None:
    """If not: see ADR 21 for what to look at, then change ``_TRIED_WITH``."""
    assert isinstance(librdkafka(), Librdkafka)
