"""Whatever SQL happens and whatever befalls the workers, the index is the table, at no excess."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.stack.histories.histories import ROUNDS, play, staged
from tests.stack.histories.stage import LATENCY_S
from tests.stack.histories.stores import benched, chosen
from worker.provider_local.faults import Faults
from worker.provider_local.server import ProviderLocal, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.histories.stage import Stage
    from tests.stack.stack import Stack

HISTORIES = int(os.environ.get("VECSINK_HISTORIES", "1"))
FIRST = int(os.environ.get("VECSINK_HISTORIES_FROM", "1"))


SHORT = 8
"""A seed with a restart and a kill in its first round."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_the_index_is_the_table_after_any_history(stack: Stack, tmp_path: Path, seed: int) -> None:
    _history(stack, tmp_path, chosen(seed), seed, ROUNDS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", ["pgvector", "qdrant"])
def test_so_it_is_in_other_stores(stack: Stack, tmp_path: Path, store: str) -> None:
    _history(stack, tmp_path, store, SHORT, rounds=1)


def _history(stack: Stack, folder: Path, store: str, seed: int, rounds: int) -> None:
    with (
        benched(stack, folder, store) as bench,
        ProviderLocal(Settings(faults=Faults(latency_s=LATENCY_S))) as provider,
        staged(bench, provider, seed) as stage,
    ):
        try:
            play(stage, seed, rounds)
        except BaseException:
            print(_told(stage, store, seed))
            raise


def _told(stage: Stage, store: str, seed: int) -> str:
    """All statements, so that the history can be told again."""
    return "\n".join(
        [f"-- seed {seed} in {store}: {stage.circumstances}", *stage.chronicle, stage.logs]
    )
