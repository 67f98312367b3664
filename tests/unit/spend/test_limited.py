"""A budget that the pods of a group share."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.unit.spend.pods import Group
from worker.errors import FatalError, RetriableError
from worker.spend.amount import Budget, Limit
from worker.spend.port import BudgetState, Outlook, Part, Reservation

if TYPE_CHECKING:
    from worker.spend.limited import LimitedPurse


def reserved(reservation: Reservation | None) -> Reservation:
    assert reservation is not None
    return reservation


def test_what_is_reserved_by_one_pod_is_not_left_for_another() -> None:
    group = Group(1000)
    ours, theirs = group.purse(), group.purse()
    assert ours.left() == theirs.left() == 1000
    assert reserved(ours.reserve(600)).tokens == 600
    assert theirs.left() == 400
    assert theirs.reserve(401) is None
    assert theirs.reserve(400) is not None
    assert ours.left() == 0


def test_settling_frees_what_was_not_billed() -> None:
    group = Group(1000)
    ours, theirs = group.purse(), group.purse()
    reserved(ours.reserve(900)).settle(300)
    assert theirs.left() == 700
    report = theirs.report()
    assert (report.spent.tokens, report.reserved_tokens) == (300, 0)


def test_a_cancelled_call_costs_nothing_and_an_unanswered_one_all_of_it() -> None:
    purse = Group(1000).purse()
    reserved(purse.reserve(500)).cancel()
    assert purse.left() == 1000
    reserved(purse.reserve(500)).keep(100)
    assert purse.left() == 500
    assert purse.report().spent.tokens == 500


def test_a_reservation_ends_once() -> None:
    purse = Group(1000).purse()
    reservation = reserved(purse.reserve(500))
    reservation.settle(100)
    reservation.keep(100)
    reservation.cancel()
    assert purse.left() == 900


def test_the_count_survives_a_restart_and_a_compaction() -> None:
    group = Group(1000)
    before = group.pod()
    reserved(before.purse.reserve(500)).settle(200)
    reserved(before.purse.reserve(300))
    before.topic.crash()
    group.log.compact()
    after = group.purse()
    assert after.left() == 500
    assert after.report().spent.tokens == 200
    assert after.report().reserved_tokens == 300


def test_a_pod_that_is_behind_gets_the_verdict_of_the_log() -> None:
    group = Group(1000)
    ours, theirs = group.pod(), group.pod()
    theirs.topic.hold()
    reserved(ours.purse.reserve(800))
    assert theirs.purse.left() == 1000
    assert theirs.purse.reserve(500) is None
    assert theirs.purse.left() == 200
    assert ours.purse.left() == 200


def test_a_void_reservation_takes_nothing_from_anybody() -> None:
    group = Group(1000)
    ours, theirs, third = group.pod(), group.pod(), group.pod()
    theirs.topic.hold()
    reservation = reserved(ours.purse.reserve(800))
    assert theirs.purse.reserve(300) is None
    reservation.settle(100)
    assert third.purse.left() == 900
    assert group.purse().left() == 900


def spend(purse: LimitedPurse, most: int, cost: int) -> int:
    """Calls of one size until no more fit; how many."""
    calls = 0
    while (reservation := purse.reserve(most)) is not None:
        reservation.settle(cost)
        calls += 1
    assert purse.outlook(most) is Outlook.SPENT
    return calls


def test_long_texts_use_nine_tenths_though_their_upper_bound_does_not_fit() -> None:
    group = Group(10_000)
    assert spend(group.purse(), 2_800, 530) == 17
    assert group.purse().report().spent.tokens == 9_010


def test_calls_that_cost_alike_need_less_of_a_margin() -> None:
    assert spend(Group(10_000).purse(), 4_400, 970) == 10
    purse = Group(10_000).purse()
    for cost in (970, 700, 970, 700, 450):
        reserved(purse.reserve(4_400)).settle(cost)
    assert spend(purse, 4_400, 970) == 5
    assert purse.report().spent.tokens == 8_640


def test_what_long_texts_cost_is_known_after_a_restart_and_to_other_pods() -> None:
    group = Group(10_000)
    before = group.pod()
    for _ in range(14):
        reserved(before.purse.reserve(2_800)).settle(530)
    before.topic.crash()
    group.log.compact()
    assert spend(group.purse(), 2_800, 530) == 3


def test_above_nine_tenths_the_upper_bound_alone_decides() -> None:
    purse = Group(10_000).purse()
    for _ in range(3):
        reserved(purse.reserve(2_000)).settle(400)
    reserved(purse.reserve(7_799)).settle(7_799)
    assert purse.left() > 1_001
    reserved(purse.reserve(1)).settle(1)
    assert purse.left() == 1_000


def test_small_texts_and_calls_without_an_answer_say_nothing_of_a_large_text() -> None:
    purse = Group(10_000).purse()
    for _ in range(9):
        reserved(purse.reserve(100)).settle(20)
    reserved(purse.reserve(4_000)).keep(100)
    reserved(purse.reserve(4_000)).keep(100)
    assert purse.left() == 10_000 - 9 * 20 - 8_000
    assert purse.reserve(2_000) is None


def test_once_it_is_known_what_calls_cost_no_more_is_kept_for_one_without_an_answer() -> None:
    group = Group(10_000)
    ours, theirs = group.purse(), group.purse()
    early = reserved(ours.reserve(400))
    early.keep(100)
    assert early.tokens == 400
    for _ in range(3):
        reserved(ours.reserve(400)).settle(100)
    for _ in range(5):
        late = reserved(ours.reserve(400))
        late.keep(100)
        assert late.tokens == 150
    assert ours.report().spent.tokens == theirs.report().spent.tokens == 400 + 3 * 100 + 5 * 150
    assert group.purse().left() == ours.left() == 10_000 - 1_450


def test_totals_say_no_more_of_a_call_without_an_answer_than_what_stays_spent() -> None:
    group = Group(10_000)
    purse, part = group.purse(), {"products": Part(4, 400)}
    for _ in range(5):
        reserved(purse.reserve(400, part)).settle(50)
    reserved(purse.reserve(400, part)).keep(130)
    assert purse.report().spent.tables["products"].tokens == 5 * 50 + 60


def test_time_outs_leave_nine_tenths_of_a_budget_to_be_used() -> None:
    purse = Group(10_000).purse()
    billed, number = 0, 0
    while (reservation := purse.reserve(400)) is not None:
        number += 1
        billed += 90
        if number % 10 == 5:
            reservation.keep(130)
        else:
            reservation.settle(90)
    assert 9_000 <= billed <= 10_000


def test_a_call_that_counts_on_what_others_cost_says_so_in_the_log() -> None:
    group = Group(10_000)
    ours, theirs = group.purse(), group.purse()
    for _ in range(3):
        reserved(ours.reserve(2_000)).settle(500)
    reserved(ours.reserve(7_000)).settle(7_000)
    held = reserved(ours.reserve(1_800))
    assert held.tokens == 675
    assert theirs.report().reserved_tokens == 675


def test_waiting_may_help_while_somebody_elses_reservation_is_out() -> None:
    group = Group(1000)
    ours, theirs = group.purse(), group.purse()
    reservation = reserved(ours.reserve(900))
    assert theirs.outlook(100) is Outlook.FITS
    assert theirs.outlook(200) is Outlook.LATER
    assert theirs.report().state is BudgetState.OPEN
    reservation.settle(300)
    assert theirs.outlook(700) is Outlook.FITS
    assert theirs.outlook(701) is Outlook.SPENT


def test_nobody_waits_for_the_reservation_of_a_pod_that_died() -> None:
    group = Group(1000)
    dead, alive = group.pod(), group.purse()
    reserved(dead.purse.reserve(950))
    dead.topic.crash()
    assert alive.outlook(100) is Outlook.LATER
    group.clock.advance(301)
    assert alive.outlook(100) is Outlook.SPENT
    assert alive.outlook(50) is Outlook.FITS
    assert alive.left() == 50


def test_the_state_follows_the_share_and_what_was_asked_last() -> None:
    group = Group(1000)
    purse = group.purse()
    assert purse.report().state is BudgetState.OPEN
    reserved(purse.reserve(790)).settle(790)
    assert purse.report().state is BudgetState.OPEN
    reserved(purse.reserve(10)).settle(10)
    assert purse.report().state is BudgetState.WARNED
    assert purse.outlook(201) is Outlook.SPENT
    assert purse.report().state is BudgetState.SPENT
    assert purse.outlook(150) is Outlook.FITS
    assert purse.report().state is BudgetState.WARNED
    reserved(purse.reserve(200)).settle(200)
    assert purse.report().state is BudgetState.SPENT


def test_the_warning_is_logged_once_a_day_by_one_pod_also_after_a_restart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    group = Group(1000)
    pods = [group.purse() for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        for purse in pods:
            reserved(purse.reserve(300)).settle(300)
        group.purse()
        reserved(pods[0].reserve(50)).settle(50)
    assert caplog.messages == ["80 % of the budget of shop for 2026-11-26 are spent."]


def test_a_new_day_begins_with_the_whole_budget() -> None:
    group = Group(1000)
    purse = group.purse()
    late = reserved(purse.reserve(400))
    reserved(purse.reserve(600)).settle(600)
    report = purse.report()
    assert report.state is BudgetState.OPEN
    assert report.turns_at == datetime(2026, 11, 27, tzinfo=UTC)
    group.wall.turn()
    assert purse.left() == 1000
    late.settle(200)
    assert purse.left() == 1000
    assert purse.report().spent.day == date(2026, 11, 27)
    assert purse.report().spent.tokens == 0


def test_pods_whose_clocks_differ_share_both_days() -> None:
    group = Group(1000)
    behind = group.pod()
    ahead = Group(1000)
    ahead.log, ahead.wall.moment = group.log, datetime(2026, 11, 27, 0, 5, tzinfo=UTC)
    early = ahead.purse()
    reserved(early.reserve(700)).settle(700)
    assert behind.purse.left() == 1000
    reserved(behind.purse.reserve(900)).settle(900)
    assert early.left() == 300
    group.wall.turn()
    assert behind.purse.left() == 300


def test_a_raised_budget_counts_for_who_has_it_and_all_pods_agree() -> None:
    group = Group(1000)
    old = group.purse()
    reserved(old.reserve(1000)).settle(1000)
    assert old.outlook(1) is Outlook.SPENT
    new = group.pod(Budget(Limit(1500))).purse
    assert new.left() == 500
    reserved(new.reserve(400)).settle(400)
    assert old.left() == 0
    assert old.report().spent.tokens == new.report().spent.tokens == 1400


def test_a_cheaper_model_does_not_stretch_the_dollars_that_are_spent() -> None:
    group = Group()
    dear = Budget(Limit(cost=1000), 10)
    reserved(group.pod(dear).purse.reserve(50)).settle(50)
    cheap = group.pod(Budget(Limit(cost=1000), 1)).purse
    assert cheap.left() == 500
    assert cheap.report().spent.usd == 500e-12


def test_while_the_state_topic_is_away_nothing_is_reserved() -> None:
    group = Group(1000)
    pod, other = group.pod(), group.purse()
    reservation = reserved(pod.purse.reserve(300))
    pod.topic.down()
    with pytest.raises(RetriableError):
        pod.purse.reserve(100)
    reservation.settle(100)
    assert pod.purse.left() == 700
    assert other.left() == 700
    pod.topic.up()
    assert pod.purse.left() == other.left() == 900


def test_a_reservation_whose_answer_is_lost_is_given_back() -> None:
    group = Group(1000)
    pod, other = group.pod(), group.purse()
    pod.topic.lose_answers()
    with pytest.raises(RetriableError):
        pod.purse.reserve(400)
    assert other.left() == pod.purse.left() == 1000


def test_a_settlement_that_cannot_be_written_leaves_the_reservation_spent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    group = Group(1000)
    pod = group.pod()
    reservation = reserved(pod.purse.reserve(300))
    pod.topic.refuse_posts()
    with caplog.at_level(logging.WARNING):
        reservation.settle(100)
    assert "stays spent" in caplog.text
    assert pod.purse.left() == 700


def test_a_state_topic_that_forgot_is_fatal() -> None:
    group = Group(1000)
    pod = group.pod()
    reserved(pod.purse.reserve(100))
    group.log.records.clear()
    group.log.end = 0
    with pytest.raises(FatalError, match="deleted or lost"):
        pod.purse.reserve(100)


def test_records_that_nobody_understands_are_left_out() -> None:
    group = Group(1000)
    pod = group.pod()
    day = "spend/2026-11-26/p"
    for key, value in (
        (f"{day}/x", {"tokens": 5}),
        (f"{day}/1", {"tokens": 5}),
        (f"{day}/1", {"tokens": 5, "price": 1, "limit": ["many", None]}),
        (f"{day}/1", {"tokens": 5, "price": 1, "limit": [1]}),
        (f"{day}/1/other", {"tokens": 5}),
        (f"{day}/2/settled", {"tokens": None}),
        ("spend/today/p/1", {"tokens": 5}),
    ):
        pod.topic.append(key, value)
    assert pod.purse.left() == 1000


def test_more_than_was_reserved_is_counted_if_it_was_billed() -> None:
    purse = Group(1000).purse()
    reserved(purse.reserve(100)).settle(150)
    assert purse.left() == 850
