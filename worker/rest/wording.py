"""Mistakes of a config in the sentences of Kafka's ``ConfigDef``, as far as it has one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.config.problem import Problem

_MISSING = "required, but missing"
_CHOICE = re.compile(r"'([^']*)'")
_REASONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile("expected a whole number"), lambda _: "Not a number of type INT"),
    (re.compile("expected a number"), lambda _: "Not a number of type DOUBLE"),
    (re.compile("expected true or false"), lambda _: "Expected value to be either true or false"),
    (re.compile("must not be empty"), lambda _: "String must be non-empty"),
    (
        re.compile(r"expected greater than or equal to (\S+)"),
        lambda found: f"Value must be at least {found[1]}",
    ),
    (
        re.compile(r"expected less than or equal to (\S+)"),
        lambda found: f"Value must be no more than {found[1]}",
    ),
    (
        re.compile(r"expected (?:'[^']*'(?:, | or )?)+"),
        lambda found: f"String must be one of: {', '.join(_CHOICE.findall(found[0]))}",
    ),
)


def sentence(problem: Problem) -> str:
    """What Connect would say; our own words where it has none."""
    hint = f" Did you mean {problem.suggestion}?" if problem.suggestion else ""
    if problem.expected == _MISSING:
        return f'Missing required configuration "{problem.key}" which has no default value.{hint}'
    if problem.expected[:1].isupper():
        return problem.expected  # already Connect's
    if problem.value is not None:
        reason = _reason(problem.expected) + (f".{hint}" if hint else "")
        return f"Invalid value {problem.value} for configuration {problem.key}: {reason}"
    about = "" if problem.expected.startswith(problem.key or "") else f"{problem.key}: "
    return f"{about}{problem.expected}.{hint}"


def _reason(expected: str) -> str:
    for pattern, words in _REASONS:
        found = pattern.fullmatch(expected)
        if found is not None:
            return words(found)
    return expected
