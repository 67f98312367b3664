"""Everything about one letter, its row included."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.dlq.reading import failures_of, headers_before, original_of
from worker.errors import ConfigError
from worker.explain.step import Step
from worker.immutable import immutable
from worker.model import TopicPartition
from worker.triage.mailbox import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.dlq.port import Failure
    from worker.explain.explainer import Explainer
    from worker.explain.explanation import Text
    from worker.letters.case import Case
    from worker.model import Record, Value
    from worker.triage.mailbox import Mailbox
    from worker.triage.outlook import Foresight, Outlook
    from worker.triage.selection import Stretch


@immutable
class Dossier:
    """See the module."""

    case: Case
    record: Record
    """The one that failed, where it stood, with the headers that it came with."""
    failures: Sequence[Failure]
    """The first one first."""
    step: Step
    """The record, decoded as far as it can be."""
    row: Mapping[str, Value] | None
    """All columns; row content."""
    text: Text | None
    """What would be embedded; row content."""
    outlook: Outlook


def dossier_of(
    place: Stretch, topic: str, mailbox: Mailbox, explainer: Explainer, foresight: Foresight
) -> Dossier:
    """Gather it for the letter at this place; nothing is written.

    Raises:
        ConfigError: the dead-letter topic has no letter there.
        RetriableError: something is away.
        FatalError: something refuses.
    """
    found = mailbox.at(TopicPartition(topic, place.partition), place.first)
    if found is None:
        raise ConfigError(
            f"{topic} has no letter at {place.partition}:{place.first}: see vecsink dlq list"
        )
    case, dead = found
    original = original_of(dead, case.letter)
    step = Step.of(original, explainer.reading)
    change = step.change
    rehearsed = None if change is None else foresight.rehearsal.of([step])
    (outlook,) = foresight.of([case], force=True, progress=silent)
    return Dossier(
        case=case,
        record=replace(original, headers=headers_before(dead.headers)),
        failures=failures_of(dead),
        step=step,
        row=explainer.row(step),
        text=explainer.text(rehearsed),
        outlook=outlook,
    )
