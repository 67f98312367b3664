"""What a task is made of, each part given those that it works with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from worker.flow.backlog import Backlog
from worker.flow.ledger import Ledger
from worker.immutable import immutable
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
    from worker.pipeline.replays import Replays
    from worker.pipeline.settings import Given
    from worker.pipeline.truncates import Truncates


@immutable
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
    def assemble(cls, given: Given) -> Self:
        """In the order in which they know each other."""
        common = _Common.of(given)
        schemas = SchemaLoader(given.ports.decoder, given.patience)
        settle_s = given.settings.store.settle_s
        succession = Succession(given.ports.heads, given.clock, settle_s)
        intake = common.intake(succession, schemas)
        looks = common.looks()
        pressure = common.pressure(intake, looks)
        replays = common.replays()
        landing = common.landing(looks, replays)
        return cls(
            ledger=common.ledger,
            backlog=common.backlog,
            rejects=common.rejects,
            truncates=common.truncates,
            flight=common.flight,
            schemas=schemas,
            succession=succession,
            intake=intake,
            committer=common.committer,
            looks=looks,
            pressure=pressure,
            replays=replays,
            landing=landing,
            handover=common.handover(landing),
            allowance=common.allowance(),
        )


@immutable
class _Common:
    """What many parts work with; makes those that work with little else."""

    given: Given
    ledger: Ledger
    backlog: Backlog
    watch: Watch
    rejects: Rejects
    truncates: Truncates
    flight: Flight
    committer: Committer

    @classmethod
    def of(cls, given: Given) -> Self:
        ports, clock, counters = given.ports, given.clock, given.counters
        ledger, marking = Ledger(), Marking(ports.marks, given.patience, given.pool)
        batch, net = given.settings.batch, Net(given.settings.tolerated)
        threads = given.pool or ThreadPoolExecutor(batch.max_in_flight, "batch")
        return cls(
            given=given,
            ledger=ledger,
            backlog=Backlog(),
            watch=Watch(),
            rejects=Rejects(ports.dead_letters, counters, marking, net, clock),
            truncates=ports.truncates or IgnoredTruncates(counters),
            flight=Flight(ports.runner.run, pool=threads, clock=clock),
            committer=Committer(ports.source, ledger, clock),
        )

    def intake(self, succession: Succession, schemas: SchemaLoader) -> Intake:
        return Intake(
            decoder=self.given.ports.decoder,
            ledger=self.ledger,
            backlog=self.backlog,
            rejects=self.rejects,
            truncates=self.truncates,
            succession=succession,
            watch=self.watch,
            counters=self.given.counters,
            clock=self.given.clock,
            request_schema=schemas.request,
        )

    def looks(self) -> Looks:
        return Looks(
            ledger=self.ledger,
            backlog=self.backlog,
            rejects=self.rejects,
            counters=self.given.counters,
            clock=self.given.clock,
            limits=self.given.settings.buffer,
            flight=self.flight,
            forget=self.given.ports.runner.forget,
            store=self.given.settings.store,
        )

    def pressure(self, intake: Intake, looks: Looks) -> Pressure:
        return Pressure(
            source=self.given.ports.source,
            ledger=self.ledger,
            backlog=self.backlog,
            intake=intake,
            rejects=self.rejects,
            looks=looks,
            committer=self.committer,
            limits=self.given.settings.buffer,
            clock=self.given.clock,
        )

    def replays(self) -> Replays:
        given, ports = self.given, self.given.ports.replays
        if ports is None:
            return NoReplays()
        return OwnedReplays(
            book=ports.book,
            inquiry=Inquiry(ports, given.ports.runner, given.patience, given.clock),
            watch=self.watch,
            ledger=self.ledger,
            backlog=self.backlog,
            rejects=self.rejects,
            truncates=self.truncates,
            counters=given.counters,
            clock=given.clock,
            pool=given.pool,
        )

    def landing(self, looks: Looks, replays: Replays) -> Landing:
        return Landing(
            flight=self.flight,
            backlog=self.backlog,
            rejects=self.rejects,
            looks=looks,
            replays=replays,
            counters=self.given.counters,
            now_ms=self.given.clock.unix_ms,
        )

    def handover(self, landing: Landing) -> Handover:
        return Handover(
            flight=self.flight,
            landing=landing,
            rejects=self.rejects,
            ledger=self.ledger,
            committer=self.committer,
            clock=self.given.clock,
            timeout_s=self.given.settings.drain_timeout_s,
            end_timeout_s=self.given.settings.end_timeout_s,
        )

    def allowance(self) -> Allowance:
        return Allowance(
            task=self.given.settings.number,
            embedding=self.given.ports.runner.embedding,
            source=self.given.ports.source,
            ledger=self.ledger,
            backlog=self.backlog,
            clock=self.given.clock,
        )
