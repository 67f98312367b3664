"""Point ids: readable, ASCII, at most 512 characters with any chunk's number, never shared.

An id is ``store.id`` with its variables filled in. ``${key}`` is the key's columns in key order,
joined by ``_``: 42 → ``42``, ("eu", 7) → ``eu_7``. So that no two rows of a table meet:

- ``%``, ``#``, blanks, control and non-ASCII characters are written as ``%XX`` per UTF-8 byte
- where something follows, its separator is escaped as well: ``_`` between columns (only in keys of
  several columns: a key of one column keeps it), and in ``${table}:${key}`` the ``:`` in the table
- an empty column is ``%empty``, a null one ``%null`` (hexadecimal digits are upper case)
- an id over 480 characters keeps its head, then ``%~`` and a 128-bit hash over the whole

A column has one type, so 1 and "1" do not meet. Values that the database holds to be equal give
one id: decimals without trailing zeros, times with a zone in UTC. Bytes are hexadecimal, arrays are
JSON.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.document.fingerprint import digest
from worker.document.pattern import ROW_KEY, Pattern, separators
from worker.document.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.document.place import Place
    from worker.model import Key, Value

MAX_ID = 480
"""Stores take 512 (Pinecone's limit); the rest is for ``#`` and a chunk's number."""
_CHUNK = "#"
_JOINER = "_"
_CUT = "%~"


def chunk_id(document_id: str, number: int) -> str:
    """The id of a row's chunk; the first has number 0. No row has such an id."""
    return f"{document_id}{_CHUNK}{number}"


def is_chunk(point_id: str) -> bool:
    """Whether an id is that of a chunk."""
    return _CHUNK in point_id


def sibling(point_id: str, number: int) -> str:
    """The id of a chunk of the same row as this one."""
    return chunk_id(point_id.partition(_CHUNK)[0], number)


class PointIds:
    """Makes ids by one pattern; remembers the part that is the same for all rows of a table."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._frames: dict[Place, _Frame] = {}
        self._of_one, self._of_several = _escapes_of_key(pattern)

    def of(self, place: Place, key: Key) -> str:
        """The id of a row.

        Raises:
            RecordError: the pattern needs what the place cannot say (``UnknownTable``).
        """
        frame = self._frame_of(place)
        return _short(f"{frame.head}{self._key(key)}{frame.tail}")

    def may_be_of(self, place: Place, point_id: str) -> bool:
        """Whether an id, or that of a chunk, has what stands around the key in a table's ids.

        Raises:
            RecordError: as ``of``.
        """
        frame, row_id = self._frame_of(place), point_id.partition("#")[0]
        if _CUT in row_id:  # the end is in the hash
            head = row_id[: row_id.index(_CUT)]
            return head.startswith(frame.head) or frame.head.startswith(head)
        return row_id.startswith(frame.head) and row_id.endswith(frame.tail)

    def _frame_of(self, place: Place) -> _Frame:
        frame = self._frames.get(place)
        if frame is None:
            frame = self._frames[place] = self._frame(place)
        return frame

    def _key(self, key: Key) -> str:
        columns = key.columns
        if len(columns) == 1:
            return self._of_one(columns[0][1])
        return _JOINER.join([self._of_several(value) for _, value in columns])

    def _frame(self, place: Place) -> _Frame:
        texts = [""]
        following = [*(part.literal for part in self._pattern.parts[1:]), ""]
        for part, after in zip(self._pattern.parts, following, strict=True):
            texts[-1] += part.literal
            if part.variable == ROW_KEY:
                texts.append("")
            elif part.variable is not None:
                escape = _escaper(separators(after))
                texts[-1] += escape(self._pattern.value_at(place, part.variable))
        return _Frame(*texts)


class _Frame(NamedTuple):
    """What stands around the key in the ids of one table."""

    head: str
    tail: str


def _escapes_of_key(pattern: Pattern) -> tuple[Callable[[Value], str], Callable[[Value], str]]:
    at = [part.variable for part in pattern.parts].index(ROW_KEY)
    more = any(part.variable for part in pattern.parts[at + 1 :])
    after = separators(pattern.parts[at + 1].literal) if more else ""
    return _for_values(_escaper(after)), _for_values(_escaper(after + _JOINER))


def _for_values(escape: Callable[[str], str]) -> Callable[[Value], str]:
    def written(value: Value) -> str:
        if type(value) is int:
            return str(value) if value >= 0 else escape(str(value))
        return "%null" if value is None else escape(_text(value))

    return written


def _escaper(specials: str) -> Callable[[str], str]:
    """A function that escapes what is never plain in an id, and these characters."""
    unsafe = re.compile(f"[^!-~]|[%#{re.escape(specials)}]")

    def escape(text: str) -> str:
        return unsafe.sub(_percent, text) if text else "%empty"

    return escape


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogatepass"))


def _text(value: Any) -> str:  # noqa: ANN401 - any scalar of a key
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal) and value.is_finite():
        return _number(value)
    if isinstance(value, tuple):
        return json.dumps(
            [_element(item) for item in value], ensure_ascii=False, separators=(",", ":")
        )
    return text_of(value) or str(value)  # NaN and infinity are keys like others


def _element(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """An element of an array, in whose text commas and nulls cannot be mistaken for others."""
    if isinstance(value, tuple):
        return [_element(item) for item in value]
    return None if value is None else _text(value)


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _short(text: str) -> str:
    if len(text) <= MAX_ID:
        return text
    mark = _CUT + digest(text.encode())
    return text[: MAX_ID - len(mark)] + mark
