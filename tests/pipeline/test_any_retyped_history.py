"""A key column gets another type amid whatever happens, and the index is the table in the end.

Which record of a row is the newest cannot be told by offsets here, so nothing is said of what the
index has on the way there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.pipeline.retyped import RetypedTable, retyped_decoder
from tests.pipeline.test_any_history import CALLS, LATE_S, History, rows
from tests.pipeline.world import World, clock_of
from worker.flow.batching import BatchPolicy, BufferLimits

if TYPE_CHECKING:
    from tests.pipeline.gate import Call
    from tests.pipeline.world import Member


class RetypedHistory(History):
    """The same table and workers, but no texts that are refused."""

    table: RetypedTable

    @initialize(
        guarded=st.booleans(), partitions=st.integers(2, 3), settle_s=st.sampled_from([0.0, 3.0])
    )
    def begin(self, guarded: bool, partitions: int, settle_s: float) -> None:  # noqa: FBT001 - drawn values
        self.world = World(
            guarded=guarded,
            partitions=partitions,
            batch=BatchPolicy(max_rows=2, max_in_flight=2),
            buffer=BufferLimits(max_rows=8),
            settle_s=settle_s,
            write_timeout_s=LATE_S,
        )
        self.table = self.world.table = RetypedTable(self.world.broker, partitions)
        self.late: dict[Call, float] = {}
        self.clock = clock_of(self.world)
        self.guarded = guarded
        self.world.gate.hold(*CALLS)
        self.join()

    @rule(row=rows, body=st.sampled_from(["short", "other"]), price=st.integers(0, 3))
    def write_whole(self, row: int, body: str, price: int) -> None:
        super().write_whole(row, body, price)

    @precondition(lambda self: self.table.key_type == "int32")
    @rule()
    def retype(self) -> None:
        self.table.retype()

    def no_commit_is_ahead_of_the_index(self) -> None:
        """Not to be told here."""

    def _newcomer(self) -> Member:
        return self.world.newcomer(retyped_decoder(self.world))

    def _assert_outcome(self) -> None:
        assert self.world.dead == []
        self.world.assert_equals_table()


# The same ones each time: among thousands of others are some of what ADR 19 leaves undecided.
RetypedHistory.TestCase.settings = settings(
    max_examples=100,
    derandomize=True,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyRetypedHistory = RetypedHistory.TestCase
