"""During a roll-out pods hold two generations of a file: only the newest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.homes.generations import NewestOfFolder
from worker.homes.pods import Pods
from worker.homes.port import Stored, digest_of
from worker.homes.topic import TopicHome
from worker.state.memory import MemoryLog, MemoryStateTopic

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGN_S = 5.0
OLD, NEW, NEWER = "old", "new", "newer"


class Drawer:
    """A folder in a test's hand."""

    def __init__(self, topics: str) -> None:
        self.topics = topics

    def look(self) -> None:
        """The test tells."""

    def stored(self) -> Mapping[str, Stored]:
        values = {"name": "products", "topics": self.topics}
        return {"products": Stored(values, "products.json")}


class Pod:
    def __init__(self, rollout: Rollout, topics: str) -> None:
        self.rollout = rollout
        self.topic = MemoryStateTopic(rollout.log)
        self.folder = Drawer(topics)
        rollout.started += 1
        pods = Pods(self.topic, f"pod-{rollout.started}", rollout.clock)
        self.pods = pods
        self.home = NewestOfFolder(self.folder, self.topic, pods, rollout.clock)
        rollout.pods.append(self)
        self.home.look()

    @property
    def runs(self) -> str | None:
        """Which generation runs here."""
        stored = self.home.stored()["products"]
        return None if stored.is_outdated else stored.values["topics"]

    def leave(self) -> None:
        self.rollout.pods.remove(self)
        self.pods.leave()
        self.topic.close(0.0)

    def crash(self) -> None:
        self.rollout.pods.remove(self)
        self.topic.crash()


class Rollout:
    def __init__(self) -> None:
        self.log = MemoryLog()
        self.clock = FakeClock()
        self.pods: list[Pod] = []
        self.started = 0

    def look(self, seconds: float = 0.0) -> list[str | None]:
        """Everybody looks, for so long; what each runs then."""
        for _ in range(2 + int(seconds / SIGN_S)):
            for pod in self.pods:
                pod.home.look()
            self.clock.advance(SIGN_S)
        return [pod.runs for pod in self.pods]


@pytest.fixture
def rollout() -> Rollout:
    return Rollout()


def test_pods_with_the_same_file_all_run_it(rollout: Rollout) -> None:
    Pod(rollout, OLD), Pod(rollout, OLD)
    assert rollout.look() == [OLD, OLD]


def test_a_new_pod_with_a_new_file_has_the_old_one_wait(rollout: Rollout) -> None:
    old = Pod(rollout, OLD)
    Pod(rollout, NEW)
    assert rollout.look(60.0) == [None, NEW]
    old.folder.topics = NEW
    assert rollout.look() == [NEW, NEW]


def test_a_pod_that_restarts_with_the_old_file_waits(rollout: Rollout) -> None:
    Pod(rollout, OLD).leave()
    Pod(rollout, NEW)
    Pod(rollout, OLD)
    assert rollout.look(60.0) == [NEW, None]


def test_a_file_that_changes_in_place_is_newer_even_if_it_says_what_it_once_said(
    rollout: Rollout,
) -> None:
    first, second = Pod(rollout, OLD), Pod(rollout, OLD)
    first.folder.topics = NEW
    assert rollout.look(60.0) == [NEW, None]
    second.folder.topics = NEW
    assert rollout.look() == [NEW, NEW]
    first.folder.topics = OLD
    assert rollout.look(60.0) == [OLD, None]
    second.folder.topics = OLD
    assert rollout.look() == [OLD, OLD]


@pytest.mark.parametrize("end", ["leave", "crash"])
def test_a_roll_back_to_an_old_file_counts_once_nobody_has_the_newest(
    rollout: Rollout, end: str
) -> None:
    Pod(rollout, OLD).leave()
    newest = Pod(rollout, NEW)
    Pod(rollout, OLD)
    assert rollout.look(60.0) == [NEW, None]
    getattr(newest, end)()
    assert rollout.look(30.0) == [OLD]
    Pod(rollout, NEW)
    assert rollout.look(60.0) == [OLD, None]


def test_the_last_of_two_that_come_at_once_is_the_newest(rollout: Rollout) -> None:
    Pod(rollout, OLD)
    Pod(rollout, NEW)
    Pod(rollout, NEWER)
    assert rollout.look(60.0) == [None, None, NEWER]


def test_it_survives_compaction(rollout: Rollout) -> None:
    Pod(rollout, OLD).leave()
    Pod(rollout, NEW)
    rollout.log.compact()
    Pod(rollout, OLD)
    assert rollout.look(60.0) == [NEW, None]


def test_while_the_brokers_are_away_what_runs_goes_on_and_what_is_new_waits(
    rollout: Rollout,
) -> None:
    pod = Pod(rollout, OLD)
    assert rollout.look() == [OLD]
    pod.topic.down()
    assert rollout.look(60.0) == [OLD]
    pod.folder.topics = NEW
    assert rollout.look(60.0) == [None]
    pod.topic.up()
    assert rollout.look(30.0) == [NEW]


def test_a_content_that_is_no_text_has_a_digest_and_others_keep_theirs() -> None:
    assert digest_of({"a": "\ud800"}) != digest_of({"a": "\ud801"})
    assert digest_of({"b": "ü\n\x00\x7f", "a": '"'}) == "af242b966736be12"


def test_a_pod_is_live_while_it_gives_signs() -> None:
    log, clock = MemoryLog(), FakeClock()
    one, other = (Pods(MemoryStateTopic(log), name, clock) for name in ("a:1", "b:1"))
    assert one.is_live("a:1")
    assert not one.is_live("b:1")
    other.say({})
    assert one.is_live("b:1")
    clock.advance(19.0)
    other.say({})
    clock.advance(19.0)
    assert one.is_live("b:1")
    clock.advance(2.0)
    assert not one.is_live("b:1")
    other.leave()
    assert not one.is_live("b:1")


def test_who_has_listened_for_long_enough_knows_what_nobody_has() -> None:
    log, clock = MemoryLog(), FakeClock()
    one, other = (Pods(MemoryStateTopic(log), name, clock) for name in ("a", "b"))

    def say() -> None:
        one.say({})
        other.say({"products": "1"})

    for _ in range(4):
        say()
        assert one.holds("products", "2"), "it has not heard of everybody yet"
        clock.advance(SIGN_S)
    say()
    assert [one.holds("products", "1"), other.holds("products", "1")] == [True, False]
    assert not one.holds("products", "2")
    clock.advance(2 * SIGN_S)
    assert one.holds("products", "2"), "it does not hear itself"
    say()
    assert one.holds("products", "2"), "it was deaf until now"


def test_after_an_outage_who_is_back_first_does_not_take_the_newest_for_gone(
    rollout: Rollout,
) -> None:
    old, new = Pod(rollout, OLD), Pod(rollout, NEW)
    assert rollout.look(60.0) == [None, NEW]
    for pod in (old, new):
        pod.topic.down()
    assert rollout.look(60.0) == [None, NEW]
    old.topic.up()
    for _ in range(3):
        old.home.look()
        rollout.clock.advance(SIGN_S)
    assert old.runs is None
    new.topic.up()
    assert rollout.look(60.0) == [None, NEW]


def test_a_config_of_the_topic_waits_while_another_pod_has_a_file_of_that_name(
    rollout: Rollout,
) -> None:
    topic = MemoryStateTopic(rollout.log)
    home = TopicHome(topic, "configs", Pods(topic, "pod-0", rollout.clock).have)
    home.put("products", {"name": "products", "topics": OLD})
    home.put("others", {"name": "others", "topics": OLD})

    def waiting() -> list[str]:
        home.look()
        return [name for name, stored in home.stored().items() if stored.is_outdated]

    assert waiting() == []
    pod = Pod(rollout, NEW)
    assert waiting() == ["products"]
    home.put("products", {"name": "products", "topics": NEWER})
    assert home.stored()["products"].is_outdated
    pod.leave()
    assert waiting() == []


def test_the_sign_of_a_pod_that_was_killed_is_taken_back_by_the_others() -> None:
    log, clock = MemoryLog(), FakeClock()
    one, other = (Pods(MemoryStateTopic(log), name, clock) for name in ("a", "b"))
    one.say({})
    other.say({})
    assert log.keys() == ["pod/a", "pod/b"]
    for _ in range(4):
        clock.advance(300.0)
        one.say({})
    assert log.keys() == ["pod/a"]
