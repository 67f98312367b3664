"""What the rules of several components say about the same mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.checks import CHECKS
from worker.config.read import Surroundings, read_connector

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}


@pytest.mark.parametrize(
    "changes",
    [{"document.template": "{{ name }}"}, {"document.fields": ""}, {"document.when": "{{ a }}"}],
    ids=str,
)
def test_a_mistake_is_told_once(changes: Mapping[str, str]) -> None:
    reading = read_connector({**CONNECTOR, **changes}, Surroundings(checks=CHECKS))

    assert len(reading.problems) == 1


WEAVIATE = {**CONNECTOR, "store": "weaviate", "store.index": "Shop"}
BY_PATTERN = {"topics": "", "topics.regex": "a.*"}


@pytest.mark.parametrize(
    ("changes", "tenant"),
    [
        ({"topics": "shop.public." + "x" * 60}, "shop_2epublic_2ex"),
        ({"topics": "a", "store.namespace": "x" * 65}, "x"),
        ({"topics": "a", "store.namespace": "${topic}" + "." * 30}, "a_2e"),
        ({"store.namespace": "x" * 65, "store.id": "${topic}:${key}", **BY_PATTERN}, "x"),
    ],
)
def test_a_namespace_that_the_store_cannot_have_is_found_before_a_start(
    changes: Mapping[str, str], tenant: str
) -> None:
    raw = {key: text for key, text in {**WEAVIATE, **changes}.items() if text}
    reading = read_connector(raw, Surroundings(checks=CHECKS))

    (found,) = reading.problems
    assert found.key == "store.namespace"
    assert f"cannot be a Weaviate tenant: {tenant}" in found.expected


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": "shop.public.a"},
        {"topics": "a", "store.namespace": "${table}" + "." * 30},
        BY_PATTERN,
        {"topics": "x" * 70, "store": "memory"},
    ],
    ids=str,
)
def test_a_namespace_that_fits_or_that_only_records_can_tell_is_no_problem(
    changes: Mapping[str, str],
) -> None:
    raw = {key: text for key, text in {**WEAVIATE, **changes}.items() if text}
    if raw["store"] == "memory":
        del raw["store.index"]
    assert read_connector(raw, Surroundings(checks=CHECKS)).problems == ()
