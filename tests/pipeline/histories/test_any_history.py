"""Whatever happens to a table and to the workers that follow it, the index is the table.

Thousands of random histories: see ``history`` for what may happen, ``oracle`` for what must hold.
They are the same ones each time, so that a change is judged by what it does and not by chance;
``--hypothesis-profile=long`` runs ten times as many, and others each time: to look for more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.pipeline.histories.history import histories
from tests.pipeline.histories.shortening import shortest, written
from tests.pipeline.histories.table import Database
from tests.pipeline.histories.world import what_is_wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.histories.history import History

LATE_S = 3.0
FLATTENED = (Database.FLATTENED,)
_TIMES = 10
"""Histories for each example that other properties get."""

_LOOKS_FOR_MORE = settings().max_examples > settings.get_profile("vecsink").max_examples

thoroughly = settings(
    max_examples=_TIMES * settings().max_examples,
    derandomize=not _LOOKS_FOR_MORE,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


now_and_then = settings(thoroughly, max_examples=settings().max_examples)


@pytest.fixture(autouse=True, scope="module")
def _silence() -> Iterator[None]:
    """What the workers say of thousands of outages is not worth its time."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def follow(history: History) -> None:
    if what_is_wrong(history):
        short = shortest(history, lambda other: bool(what_is_wrong(other)))
        pytest.fail(f"{what_is_wrong(short)}\n{written(short)}", pytrace=False)


@pytest.mark.timeout(0)
@given(history=histories(guarded=True, settle_s=(0.0, LATE_S)))
@thoroughly
def test_a_store_that_refuses_old_writes_follows_any_history(history: History) -> None:
    follow(history)


@pytest.mark.timeout(0)
@given(history=histories(guarded=False, settle_s=(0.0,)))
@thoroughly
def test_a_store_that_takes_every_write_follows_any_history(history: History) -> None:
    follow(history)


@pytest.mark.timeout(0)
@given(history=histories(guarded=False, settle_s=(LATE_S,)))
@thoroughly
def test_a_store_that_shows_writes_late_follows_any_history(history: History) -> None:
    follow(history)


@pytest.mark.timeout(0)
@pytest.mark.parametrize(("guarded", "settle_s"), [(True, 0.0), (False, 0.0), (False, 3.0)])
@given(data=st.data())
@now_and_then
def test_any_store_follows_flattened_records(
    *, guarded: bool, settle_s: float, data: st.DataObject
) -> None:
    follow(data.draw(histories(guarded=guarded, settle_s=(settle_s,), databases=FLATTENED)))
