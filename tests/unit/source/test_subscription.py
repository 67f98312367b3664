from __future__ import annotations

from worker.source.subscription import Subscription

TOPICS = ["shop.a", "shop.b", "shop.a2", "xshop.a"]


def test_names_select_themselves() -> None:
    assert Subscription(("shop.b", "missing")).select(TOPICS) == ["shop.b"]


def test_a_regex_matches_whole_names_in_each_of_its_branches() -> None:
    pattern = Subscription.matching(r"shop\.a|shop\.b")
    assert pattern.select(TOPICS) == ["shop.a", "shop.b"]


def test_librdkafka_is_told_a_pattern_by_its_first_character() -> None:
    assert Subscription.matching("a|b").entries == ("^(a|b)$",)
