"""Whatever SQL happens and whatever befalls the workers, the index is the table, at no excess."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.stack.histories.histories import play, staged
from tests.stack.histories.stage import LATENCY_S
from worker.provider_local.faults import Faults
from worker.provider_local.server import ProviderLocal, Settings

if TYPE_CHECKING:
    from tests.stack.bench import Bench
    from tests.stack.histories.stage import Stage

HISTORIES = int(os.environ.get("VECSINK_HISTORIES", "1"))
FIRST = int(os.environ.get("VECSINK_HISTORIES_FROM", "1"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_the_index_is_the_table_after_any_history(bench: Bench, seed: int) -> None:
    with (
        ProviderLocal(Settings(faults=Faults(latency_s=LATENCY_S))) as provider,
        staged(bench, provider, seed) as stage,
    ):
        try:
            play(stage, seed)
        except BaseException:
            print(_told(stage, seed))
            raise


def _told(stage: Stage, seed: int) -> str:
    """All statements, so that the history can be told again."""
    return "\n".join([f"-- seed {seed}: {stage.circumstances}", *stage.chronicle, stage.logs])
