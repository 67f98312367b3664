"""The survey as a whole: reads what the plan says, and has it looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.estimate.plan import plan
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.estimate.intake import Intake
    from worker.estimate.plan import Plan
    from worker.estimate.survey import Survey
    from worker.estimate.tally import Tally
    from worker.source.port import SpanReader

_ASK_S = 10.0


@immutable
class Found:
    """What was found."""

    plan: Plan
    tally: Tally
    newest: tuple[int, int]
    """Texts, and at least so many tokens, if every row were embedded once, as it is at the end."""

    @property
    def factor(self) -> float:
        """How often the whole holds what was read."""
        return self.plan.offsets / self.plan.chosen if self.plan.chosen else 1.0


@immutable
class Surveyor:
    """Reads and looks; writes nothing anywhere."""

    reader: SpanReader
    intake: Intake
    survey: Survey
    tally: Tally

    def plan(self, sample: int | None) -> Plan | None:
        """What to read: about ``sample`` records, or everything; None if there is no topic.

        Raises:
            RetriableError, FatalError: the brokers do not answer, or refuse.
        """
        ahead = self.reader.ahead(_ASK_S)
        return plan(ahead, sample) if ahead else None

    def find(self, chosen: Plan, progress: Callable[[int], None]) -> Found:
        """Read it; ``progress`` is told how many records came.

        Raises:
            RetriableError: something has been away for too long.
            FatalError: something refuses us, or every record would fail.
        """
        for spans in chosen.rounds:
            for records in self.reader.read(spans):
                self.tally.records += len(records)
                for batch in self.intake.take(records):
                    self.survey.add(batch, chosen)
                progress(len(records))
        for batch in self.intake.rest():
            self.survey.add(batch, chosen)
        self.survey.settle()
        return Found(chosen, self.tally, self.survey.newest)
