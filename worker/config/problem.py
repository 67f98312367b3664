"""One mistake in a configuration, as data: where, what was given, what was expected."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.errors import ConfigError
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "[hidden]"
"""What stands in the place of a secret, as in Kafka Connect's REST API."""


class Severity(StrEnum):
    """Whether a connector can run with it."""

    ERROR = "error"
    WARNING = "warning"


@immutable
class Problem:
    """A mistake of one key. Never holds the value of a secret."""

    file: str
    key: str | None
    """The full flat key; None where the file itself is at fault."""
    value: str | None
    """As written, references unresolved; None if it is absent or must not be shown."""
    expected: str
    suggestion: str | None = None
    """The nearest valid key or value."""
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether it keeps the connector from running."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        given = f", got {self.value!r}" if self.value is not None else ""
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.file}: {key}{self.expected}{given}{hint}"


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known name most like this one, if any is alike enough (0 anything … 1 equal)."""
    found = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return found[0] if found else None


def errors_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that keep a connector from running."""
    return tuple(problem for problem in problems if problem.is_error)


def refuse(problems: Iterable[Problem]) -> None:
    """Do nothing if there is no error.

    Raises:
        ConfigError: one line per error.
    """
    errors = errors_of(problems)
    if errors:
        raise ConfigError("\n".join(str(problem) for problem in errors))
