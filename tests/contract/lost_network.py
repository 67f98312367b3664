"""What a store that speaks gRPC does where the network loses its connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.stack.worker_process import eventually
from worker.errors import RetriableError

if TYPE_CHECKING:
    from tests.contract.relay import Relay
    from worker.store.port import Store


OUTAGE_S = 6.0
"""Long enough for gRPC to look more rarely, if it is let."""
SOON_S = 3.0


class LostNetworkContract:
    """Subclasses have the fixtures ``between``, the network, and ``through``, a store behind it."""

    def test_a_connection_that_the_network_has_lost_is_left_after_one_call(
        self, between: Relay, through: Store
    ) -> None:
        assert through.fetch("n", ["a"]) == {}
        between.lose()
        with pytest.raises(RetriableError):
            through.fetch("n", ["a"])
        assert through.fetch("n", ["a"]) == {}

    def test_after_an_outage_the_server_is_found_again_soon(
        self, between: Relay, through: Store
    ) -> None:
        assert through.fetch("n", ["a"]) == {}
        between.close()
        with pytest.raises(RetriableError):
            through.fetch("n", ["a"])
        time.sleep(OUTAGE_S)
        between.open()
        eventually(lambda: is_there(through), "it answers", SOON_S)


def is_there(store: Store) -> bool:
    try:
        store.fetch("n", ["a"])
    except RetriableError:
        return False
    return True
