"""What a task is given: its bounds, the ports that it talks to, and what it works with."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from worker.immutable import immutable
from worker.marks.port import NoMarks
from worker.pipeline.net import TOLERATED, Tolerated
from worker.store.port import Capabilities

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from worker.clock import Clock
    from worker.decode.port import Decoder
    from worker.dlq.port import DeadLetterQueue
    from worker.flow.batching import BatchPolicy, BufferLimits
    from worker.marks.port import Marks
    from worker.pipeline.batch import BatchRunner
    from worker.pipeline.heads import Heads
    from worker.pipeline.inquiry import ReplayPorts
    from worker.pipeline.patience import Patience
    from worker.pipeline.truncates import Truncates
    from worker.source.port import Source
    from worker.telemetry.counters import Counters


_GUARDED = Capabilities(guarded=True, settle_s=0.0)


@immutable
class TaskSettings:
    """Bounds and times of one task."""

    batch: BatchPolicy
    buffer: BufferLimits
    drain_timeout_s: float = 8.0
    """How long a revoke waits for what is in flight; less than a session, as no poll can go on."""
    end_timeout_s: float = 8.0
    """How long the end of the task does, while polls go on."""
    number: int = 0
    """Of the task among those of its connector in this process."""
    store: Capabilities = _GUARDED
    """Of the store, by which the second look goes."""
    tolerated: Tolerated = TOLERATED
    """Failures until the task fails, too."""


@immutable
class Ports:
    """What a task talks to."""

    source: Source
    decoder: Decoder
    runner: BatchRunner
    dead_letters: DeadLetterQueue | None
    """None: the first bad record fails the task."""
    truncates: Truncates | None = None
    """None: they are ignored."""
    marks: Marks = field(default_factory=NoMarks)
    """Rows with a dead letter."""
    replays: ReplayPorts | None = None
    """None: dead letters are not replayed."""
    heads: Heads | None = None
    """None: no record waits for those of other partitions."""


@immutable
class Given:
    """All that the parts of a task are made with."""

    ports: Ports
    settings: TaskSettings
    patience: Patience
    clock: Clock
    counters: Counters
    pool: Executor | None
    """Where all that is slow is done; None: in threads of the task's own."""
