"""What a task is made of, each part given those that it works with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from worker.flow.backlog import Backlog
from worker.flow.ledger import Ledger
from worker.pipeline.allowance import Allowance
from worker.pipeline.commit import Committer
from worker.pipeline.flight import Flight
from worker.pipeline.handover import Handover
from worker.pipeline.inquiry import Inquiry
from worker.pipeline.intake import Intake
from worker.pipeline.landing import Landing
from worker.pipeline.looks import Looks
from worker.pipeline.marking import Marking
from worker.pipeline.net import Net
from worker.pipeline.owned_replays import OwnedReplays
from worker.pipeline.pressure import Pressure
from worker.pipeline.rejects import Rejects
from worker.pipeline.replays import NoReplays
from worker.pipeline.schemas import SchemaLoader
from worker.pipeline.succession import Succession
from worker.pipeline.truncates import IgnoredTruncates
from worker.pipeline.watch import Watch

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from worker.clock import Clock
    from worker.pipeline.patience import Patience
    from worker.pipeline.replays import Replays
    from worker.pipeline.settings import Ports, TaskSettings
    from worker.pipeline.truncates import Truncates
    from worker.telemetry.counters import Counters


@dataclass(frozen=True, slots=True)
class Parts:
    """They all belong to the task's thread."""

    ledger: Ledger
    backlog: Backlog
    rejects: Rejects
    truncates: Truncates
    flight: Flight
    schemas: SchemaLoader
    succession: Succession
    intake: Intake
    committer: Committer
    looks: Looks
    pressure: Pressure
    replays: Replays
    landing: Landing
    handover: Handover
    allowance: Allowance

    @classmethod
    def assemble(  # noqa: PLR0913 - the composition root passes everything in once
        cls,
        *,
        ports: Ports,
        settings: TaskSettings,
        patience: Patience,
        clock: Clock,
        counters: Counters,
        pool: Executor | None,
    ) -> Self:
        """In the order in which they know each other."""
        ledger, backlog, watch = Ledger(), Backlog(), Watch()
        marking = Marking(ports.marks, patience, pool)
        rejects = Rejects(ports.dead_letters, counters, marking, Net(settings.tolerated), clock)
        truncates: Truncates = ports.truncates or IgnoredTruncates(counters)
        threads = pool or ThreadPoolExecutor(settings.batch.max_in_flight, "batch")
        flight = Flight(ports.runner.run, pool=threads, clock=clock)
        schemas = SchemaLoader(ports.decoder, patience)
        succession = Succession(ports.heads, clock, settings.store.settle_s)
        committer = Committer(ports.source, ledger, clock)
        intake = Intake(
            decoder=ports.decoder,
            ledger=ledger,
            backlog=backlog,
            rejects=rejects,
            truncates=truncates,
            succession=succession,
            watch=watch,
            counters=counters,
            clock=clock,
            request_schema=schemas.request,
        )
        looks = Looks(
            ledger=ledger,
            backlog=backlog,
            rejects=rejects,
            counters=counters,
            clock=clock,
            limits=settings.buffer,
            flight=flight,
            forget=ports.runner.forget,
            store=settings.store,
        )
        pressure = Pressure(
            source=ports.source,
            ledger=ledger,
            backlog=backlog,
            intake=intake,
            rejects=rejects,
            looks=looks,
            committer=committer,
            limits=settings.buffer,
            clock=clock,
        )
        replays: Replays = NoReplays()
        if ports.replays is not None:
            replays = OwnedReplays(
                book=ports.replays.book,
                inquiry=Inquiry(ports.replays, ports.runner, patience, clock),
                watch=watch,
                ledger=ledger,
                backlog=backlog,
                rejects=rejects,
                truncates=truncates,
                counters=counters,
                clock=clock,
                pool=pool,
            )
        landing = Landing(
            flight=flight,
            backlog=backlog,
            rejects=rejects,
            looks=looks,
            replays=replays,
            counters=counters,
            now_ms=clock.unix_ms,
        )
        handover = Handover(
            flight=flight,
            landing=landing,
            rejects=rejects,
            ledger=ledger,
            committer=committer,
            clock=clock,
            timeout_s=settings.drain_timeout_s,
            end_timeout_s=settings.end_timeout_s,
        )
        allowance = Allowance(
            task=settings.number,
            embedding=ports.runner.embedding,
            source=ports.source,
            ledger=ledger,
            backlog=backlog,
            clock=clock,
        )
        return cls(
            ledger=ledger,
            backlog=backlog,
            rejects=rejects,
            truncates=truncates,
            flight=flight,
            schemas=schemas,
            succession=succession,
            intake=intake,
            committer=committer,
            looks=looks,
            pressure=pressure,
            replays=replays,
            landing=landing,
            handover=handover,
            allowance=allowance,
        )
