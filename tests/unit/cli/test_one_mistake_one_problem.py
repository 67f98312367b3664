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
