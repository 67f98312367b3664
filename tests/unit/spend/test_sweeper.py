"""Days that are over leave the state topic."""

from __future__ import annotations

from tests.unit.spend.pods import Group


def spend(group: Group, calls: int) -> None:
    purse = group.purse()
    for _ in range(calls):
        reservation = purse.reserve(1)
        assert reservation is not None
        reservation.settle(1)


def reservations(group: Group) -> list[str]:
    return [key for key in group.log.keys() if key.startswith("spend/")]  # noqa: SIM118 - no dict


def test_yesterday_is_kept_and_the_day_before_it_goes() -> None:
    group = Group()
    spend(group, 5)
    group.wall.turn()
    group.purse().close()
    assert len(reservations(group)) == 10
    group.wall.turn()
    group.purse().close()
    assert reservations(group) == []


def test_a_long_day_is_swept_little_by_little_by_whoever_is_there() -> None:
    group = Group(10_000)
    spend(group, 1200)
    spend(group, 10)
    group.wall.turn(2)
    purse, other = group.purse(), group.purse()
    purse.close()
    assert 1000 < len(reservations(group)) < 1450
    for _ in range(3):
        purse.close()
    assert reservations(group) == []
    before = len(group.log.records)
    purse.close()
    other.close()
    group.purse().close()
    assert len(group.log.records) == before


def test_what_a_crash_left_is_swept_after_the_next_start() -> None:
    group = Group(10_000)
    spend(group, 600)
    group.wall.turn(2)
    sweeping = group.pod()
    sweeping.purse.close()
    sweeping.topic.crash()
    group.log.compact()
    assert 0 < len(reservations(group)) < 1200
    purse = group.purse()
    purse.close()
    purse.close()
    assert reservations(group) == []


def test_sweeping_costs_today_nothing() -> None:
    group = Group(1000)
    spend(group, 100)
    group.wall.turn(2)
    spend(group, 300)
    purse = group.purse()
    purse.close()
    assert purse.left() == 700
    group.log.compact()
    assert group.purse().left() == 700
