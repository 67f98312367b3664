"""Answers, read as strictly as h11 does."""

from __future__ import annotations

import io
import math
import re
import time
from typing import IO, TYPE_CHECKING, Final, TypeAlias, TypeVar

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from _typeshed import WriteableBuffer

    Fields: TypeAlias = Sequence[tuple[bytes, bytes]]
    Status: TypeAlias = tuple[int, int, bytes]
    """The minor version, the status, and what it is called."""

T = TypeVar("T")

_MOST_BYTES: Final = 100 * 1024
"""Of a head; as in httpcore."""
_STATUS: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_FIELD: Final = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([^\0\n\v\f\r]*)")
_LENGTH: Final = re.compile(rb"[0-9]{1,20}")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,20})[ \t]*(?:;.*)?\r\n")
_END_OF_CHUNK: Final = b"\r\n"
_MOST_INTERIM: Final = 100
"""Answers before the answer, as in Python 3.14."""

_SWITCHED: Final = 101
_OK: Final = 200
_BODILESS: Final = frozenset({204, 304})


class AnswerError(Exception):
    """There is no answer that can be read; repeats nothing of what came."""


class Answer:
    """One on its way."""

    def __init__(self, connection: socket.socket, method: str, timeout_s: float | None) -> None:
        """``timeout_s`` is how long its head may take, and each line in its body."""
        self._timeout_s = math.inf if timeout_s is None else timeout_s
        self._source = _Source(connection)
        self._file = io.BufferedReader(self._source)
        self._is_for_head = method == "HEAD"
        self._is_chunked = False
        self._chunk_left = 0
        self.status = 0
        self.reason = b""
        self.minor_version = 0
        self.fields: Fields = []
        """As they came."""
        self.length: int | None = 0
        """Bytes that are still to come; None: nobody knows."""
        self.will_close = True
        """Whether the connection ends with it."""

    def begin(self) -> None:
        """Read the head, and the interim answers before it.

        Raises:
            AnswerError, OSError: there is none.
        """
        (self.minor_version, self.status, self.reason), lines = self._in_time(_head)
        self.fields = _fields(lines)
        self._frame(_by_name(self.fields))

    def read(self, most: int) -> bytes:
        """What has come of the body, up to so many bytes; none at its end, or where it breaks off.

        Raises:
            AnswerError, OSError: the rest does not come.
        """
        if self._is_chunked:
            return self._read_chunk(most)
        part = self._file.read1(most if self.length is None else min(most, self.length))
        if self.length is not None:
            self.length -= len(part)
        return part

    def is_followed(self) -> bool:
        """Whether more came with an answer that was read to its end."""
        self._source.is_open = False
        return bool(self._file.peek(1))

    def close(self) -> None:
        """Not the connection."""
        self._file.close()

    def _read_chunk(self, most: int) -> bytes:
        left = self._chunk_left or self._in_time(_chunk)
        if not left:  # what follows the last chunk are fields
            _fields(self._in_time(_lines))
            self._is_chunked, self.length = False, 0
            return b""
        part = self._file.read1(min(most, left))
        if not part:
            raise AnswerError("a chunk breaks off")
        self._chunk_left = left - len(part)
        if not self._chunk_left and self._file.read(len(_END_OF_CHUNK)) != _END_OF_CHUNK:
            raise AnswerError("a chunk is longer than its size, or breaks off")
        return part

    def _in_time(self, read: Callable[[IO[bytes]], T]) -> T:
        """What drips would never end: sockets know only how long to wait for the next bytes."""
        self._source.until_s = time.monotonic() + self._timeout_s
        found = read(self._file)
        self._source.until_s = math.inf
        return found

    def _frame(self, named: Mapping[bytes, Sequence[bytes]]) -> None:
        """Find where the body ends, and whether the connection ends with it."""
        length = _length(named.get(b"content-length", ()))
        self._is_chunked = _is_chunked(named.get(b"transfer-encoding", ()))
        self.length = None if self._is_chunked else length
        if self._is_for_head or self.status in _BODILESS:
            self._is_chunked, self.length = False, 0
        tokens = b",".join(named.get(b"connection", ())).lower().split(b",")
        self.will_close = (
            self.minor_version == 0
            or b"close" in map(bytes.strip, tokens)
            or (self.length is None and not self._is_chunked)
        )


class _Source(io.RawIOBase):
    """Reads from a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.is_open = True
        """Otherwise only what was read before it was wanted is to be had."""
        self.until_s = math.inf
        """After that nothing is waited for."""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Into ``buffer``, once."""
        if not self.is_open:
            return None
        if time.monotonic() > self.until_s:
            raise TimeoutError("the answer does not end")
        return self._connection.recv_into(buffer)


def _chunk(file: IO[bytes]) -> int:
    """The size of the next one; 0: it is the last."""
    found = _SIZE.fullmatch(file.readline(_MOST_BYTES))
    if found is None:
        raise AnswerError("a chunk has no size")
    return int(found[1], 16)


def _lines(file: IO[bytes]) -> list[bytes]:
    """All up to the empty one."""
    lines: list[bytes] = []
    left = _MOST_BYTES
    while (line := file.readline(left)).endswith(b"\n"):
        left -= len(line)
        line = line[:-1].removesuffix(b"\r")
        if not line:
            return lines
        lines.append(line)
    if line or lines:
        raise AnswerError("the head breaks off, or is too long")
    raise AnswerError("the server hung up without an answer")


def _head(file: IO[bytes]) -> tuple[Status, Sequence[bytes]]:
    """The status and the fields, after the interim answers."""
    for _ in range(_MOST_INTERIM + 1):
        lines = _lines(file)
        status = _status(lines)
        if status[1] == _SWITCHED:
            raise AnswerError("the server changes the protocol")
        if status[1] >= _OK:
            return status, lines[1:]
    raise AnswerError("the server does not come to its answer")


def _status(lines: Sequence[bytes]) -> Status:
    found = _STATUS.fullmatch(lines[0]) if lines else None
    if found is None:
        raise AnswerError("the first line is no status line")
    return int(found[1]), int(found[2]), found[3] or b""


def _fields(lines: Iterable[bytes]) -> Fields:
    whole: list[bytes] = []
    for line in lines:
        if line[0] not in b" \t":
            whole.append(line)
        elif whole:  # continues the one before, as HTTP once allowed
            whole[-1] += b" " + line.strip(b" \t")
        else:
            raise AnswerError("the first field has no name")
    return [_field(line) for line in whole]


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise AnswerError("a line of the head is no field")
    return found[1], found[2].strip(b" \t")


def _by_name(fields: Fields) -> Mapping[bytes, Sequence[bytes]]:
    named: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        named.setdefault(name.lower(), []).append(value)
    return named


def _length(said: Sequence[bytes]) -> int | None:
    if not said:
        return None
    first, *others = {one.strip() for one in b",".join(said).split(b",")}
    if others or not _LENGTH.fullmatch(first):
        raise AnswerError("Content-Length is no number")
    return int(first)


def _is_chunked(said: Sequence[bytes]) -> bool:
    if not said:
        return False
    if [one.lower() for one in said] != [b"chunked"]:
        raise AnswerError("Transfer-Encoding is not chunked")
    return True
