"""From flat values to a section; pydantic's errors become problems that name the full key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import SecretStr, ValidationError

from worker.config.problem import HIDDEN, Problem, nearest
from worker.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

S = TypeVar("S", bound=Section)

_EXPECTED = {
    "bool_parsing": "true or false",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "string_too_short": "must not be empty",
}
_CHOICE = re.compile(r"'([^']*)'")
_MASK = re.compile(rf"\*{{3,}}|{re.escape(HIDDEN)}")
UNMASKED = "the secret itself or ${env:NAME}, not its mask"
"""What is expected where a mask came."""


def keys_of(section: type[Section], prefix: str = "") -> dict[str, str]:
    """The full flat keys of a section, with the name of the field each one sets."""
    return {prefix + (item.alias or name): name for name, item in section.model_fields.items()}


def secret_keys_of(section: type[Section], prefix: str = "") -> frozenset[str]:
    """The full flat keys of a section whose values must not be shown."""
    names = keys_of(section, prefix)
    return frozenset(key for key, name in names.items() if _is_secret(section, name))


def _is_secret(section: type[Section], field: str) -> bool:
    kind: Any = section.model_fields[field].annotation
    return kind is SecretStr or SecretStr in get_args(kind)


def parse_section(
    section: type[S],
    values: Mapping[str, str],
    *,
    raw: Mapping[str, str],
    file: str,
    prefix: str = "",
) -> tuple[S | None, list[Problem]]:
    """Parse the keys of one section.

    ``values`` are resolved and all belong to the section; ``raw`` is what may be shown of them.
    """
    secret = secret_keys_of(section, prefix)
    problems = list(_masked(secret, values, file))
    given = {key.removeprefix(prefix): value for key, value in values.items()}
    try:
        parsed = section.model_validate(given)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        reader = _Reader(section, raw, file, prefix, secret)
        return None, problems + [reader.problem(detail) for detail in details]
    return (None if problems else parsed), problems


def _masked(secret: Iterable[str], values: Mapping[str, str], file: str) -> Iterator[Problem]:
    """A user interface that masks secrets may send the mask back and destroy the secret."""
    for key in sorted(secret):
        if _MASK.fullmatch(values.get(key, "")):
            yield Problem(file, key, HIDDEN, UNMASKED)


class _Reader:
    """Turns the details of one failed validation into problems."""

    def __init__(
        self,
        section: type[Section],
        raw: Mapping[str, str],
        file: str,
        prefix: str,
        secret: frozenset[str],
    ) -> None:
        self._known = keys_of(section, prefix)
        self._raw = raw
        self._file = file
        self._prefix = prefix
        self._secret = secret

    def problem(self, detail: ErrorDetails) -> Problem:
        if not detail["loc"]:
            return Problem(self._file, self._first_key(), None, _expected(detail))
        key = self._key(str(detail["loc"][0]))
        if detail["type"] == "extra_forbidden":
            return Problem(self._file, key, None, "unknown key", nearest(key, self._known))
        if detail["type"] == "missing":
            return Problem(self._file, key, None, "required, but missing", self._mistyped(key))
        return Problem(
            self._file, key, self._shown(key), _expected(detail), self._like(key, detail)
        )

    def _key(self, place: str) -> str:
        """The flat key of a place, which is an alias, or the field's name if it has its default."""
        by_name = {name: key for key, name in self._known.items()}
        return by_name.get(place, self._prefix + place)

    def _first_key(self) -> str | None:
        """What a mistake of several keys together is filed under."""
        return next(iter(self._known), None)

    def _shown(self, key: str) -> str | None:
        if key not in self._raw:
            return None
        return HIDDEN if key in self._secret else self._raw[key]

    def _mistyped(self, key: str) -> str | None:
        """A key that was given and looks like the missing one."""
        return nearest(key, set(self._raw) - set(self._known), likeness=0.8)

    def _like(self, key: str, detail: ErrorDetails) -> str | None:
        if detail["type"] not in {"literal_error", "enum"} or key in self._secret:
            return None
        choices = _CHOICE.findall(str(detail.get("ctx", {}).get("expected", "")))
        return nearest(self._raw.get(key, ""), choices)


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] in _EXPECTED:
        return f"expected {_EXPECTED[detail['type']]}".replace("expected must", "must")
    if detail["type"] == "string_pattern_mismatch":
        return f"expected a match of {detail['ctx']['pattern']}"
    message = detail["msg"].removeprefix("Value error, ")
    return "expected " + message.removeprefix("Input should be ").removeprefix("a valid ")
