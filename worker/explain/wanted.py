"""The row that is asked for: its key as a person writes it, compared with decoded keys."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Self

from worker.document.values import text_of
from worker.errors import ConfigError
from worker.immutable import immutable
from worker.model import Key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Value

_WHOLE = re.compile(r"-?\d+")
_FORMS = "write 42, id=42, region=eu,id=7 or JSON such as '{\"id\": 42}'"


@immutable
class Wanted:
    """A key in text. Types come from the decoded keys that it is compared with."""

    given: str
    """As it was written."""
    columns: Mapping[str, str | None] | None
    """The same by column; None if it names no column."""

    @classmethod
    def parse(cls, given: str) -> Self:
        """Read ``42``, ``id=42``, ``region=eu,id=7`` or a JSON object.

        Raises:
            ConfigError: it is none of these.
        """
        given = given.strip()
        if not given:
            raise ConfigError(f"KEY is empty: {_FORMS}")
        return cls(given, _of_json(given) if given.startswith("{") else _of_pairs(given))

    def is_key(self, key: Key) -> bool:
        """Whether this is the key of the row."""
        if self._has_names_of(key):
            return all(_is(value, self.columns[name]) for name, value in key.columns)  # type: ignore[index]  # it has names
        return len(key.columns) == 1 and _is(key.columns[0][1], self.given)

    def fits(self, key: Key) -> bool:
        """Whether a key of these columns could be the one."""
        return self._has_names_of(key) or (len(key.columns) == 1 and self.columns is None)

    def misfit(self, key: Key) -> ConfigError:
        """What to write instead, for a topic with such keys."""
        names = [name for name, _ in key.columns]
        example = ",".join(f"{name}=…" for name in names)
        return ConfigError(
            f"KEY {self.given!r} does not fit {key.topic}, whose keys have "
            f"{'the column' if len(names) == 1 else 'the columns'} {', '.join(names)}: "
            f"write {example}"
        )

    def expect_types(self, key: Key) -> None:
        """Compare with a key of other rows.

        Raises:
            ConfigError: a whole number is due where something else is written.
        """
        for name, value in key.columns:
            text = self.given if self.columns is None else self.columns[name]
            if type(value) is int and text is not None and not _WHOLE.fullmatch(text):
                raise ConfigError(f"KEY: key column {name} is a whole number, got {text!r}")

    def as_key(self, topic: str, example: Key | None) -> Key:
        """A key of the row without a record of it; ``example`` tells the order of its columns.

        Its values are texts: good for ids, in which numbers and texts look alike.
        """
        if self.columns is None:
            name = example.columns[0][0] if example else "key"
            return Key(topic, ((name, self.given),))
        names = [name for name, _ in example.columns] if example else list(self.columns)
        return Key(topic, tuple((name, self.columns.get(name)) for name in names))

    def _has_names_of(self, key: Key) -> bool:
        return self.columns is not None and self.columns.keys() == dict(key.columns).keys()


def _of_json(given: str) -> Mapping[str, str | None]:
    try:
        columns = json.loads(given, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError as error:
        raise ConfigError(f"KEY is not JSON ({error}): {_FORMS}") from error
    if not isinstance(columns, dict) or not columns:
        raise ConfigError(f"KEY has no columns: {_FORMS}")
    return {name: _text_in(value) for name, value in columns.items()}


def _text_in(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _of_pairs(given: str) -> Mapping[str, str | None] | None:
    """None where not every part has a name."""
    parts = [part.partition("=") for part in given.split(",")]
    if not all(equals and name.strip() for name, equals, _ in parts):
        return None
    return {name.strip(): value.strip() for name, _, value in parts}


def _is(value: Value, text: str | None) -> bool:
    """Whether a decoded value is written so, in any of its usual forms."""
    if value is None or text is None:
        return value is text
    if type(value) is int:
        return text == str(value)
    if isinstance(value, bytes):
        return text.lower() == value.hex()
    if isinstance(value, Decimal | float):
        return _number(text) == value
    if isinstance(value, tuple):
        return text == json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text in (str(value), text_of(value))


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
