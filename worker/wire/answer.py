"""Answers of ``http.client`` whose head and chunks are read as strictly as h11 does.

By itself http.client takes a head that breaks off for a whole one, an interim answer for the
answer, the first zero of a chunk's size that breaks off for the last chunk, and where fields are no
fields or contradict each other, it guesses. What came behind an answer it forgets.
"""

from __future__ import annotations

import io
import re
from http.client import HTTPException, HTTPResponse
from typing import IO, TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Mapping, Sequence

    from _typeshed import WriteableBuffer

    Fields: TypeAlias = Sequence[tuple[bytes, bytes]]

_MOST_BYTES: Final = 100 * 1024
"""Of a head; as in httpcore."""
_STATUS: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_FIELD: Final = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([^\0\n\v\f\r]*)")
_LENGTH: Final = re.compile(rb"[0-9]{1,20}")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,20})[ \t]*(?:;.*)?\r\n")
_END_OF_CHUNK: Final = b"\r\n"
_MOST_INTERIM: Final = 100
"""Answers before the answer, as in Python 3.14; while they come, no time-out ends the call."""

_SWITCHED: Final = 101
_OK: Final = 200
_BODILESS: Final = frozenset({204, 304})


class HeadError(HTTPException):
    """There is no answer that can be read; repeats nothing of what came."""


class ChunkError(HTTPException):
    """Where a chunk should be, there is none; repeats nothing of what came."""


class StrictResponse(HTTPResponse):
    """An answer; raises ``HeadError`` for a head that is none, ``ChunkError`` for such a body."""

    fields: Fields
    """As they came."""

    def __init__(self, sock: socket.socket, method: str) -> None:
        self._source = _Source(sock)
        super().__init__(cast("socket.socket", self._source), method=method)
        self._is_for_head = method == "HEAD"

    def begin(self) -> None:
        """Read the head, and the interim answers before it."""
        for _ in range(_MOST_INTERIM + 1):
            lines = _lines(cast("IO[bytes]", self.fp))
            minor, status, reason = _status(lines)
            if status == _SWITCHED:
                raise HeadError("the server changes the protocol")
            if status >= _OK:
                break
        else:
            raise HeadError("the server does not come to its answer")
        self.fields = _fields(lines[1:])
        self.code = self.status = status
        self.reason = reason.decode("latin-1")
        self.version = 11 if minor else 10
        self._frame(_by_name(self.fields))

    def read1(self, n: int = -1) -> bytes:
        """Some bytes of the body; none at its end, or where it breaks off."""
        if self.chunked:
            return self._read_chunk(n)
        part = self.fp.read1(_most(n, self.length))
        if self.length is not None:
            self.length -= len(part)
        return part

    def is_followed(self) -> bool:
        """Whether more came with an answer that was read to its end."""
        self._source.is_open = False
        return bool(self.fp.peek(1))

    def _read_chunk(self, n: int) -> bytes:
        left = self.chunk_left or _chunk(self.fp)
        if not left:  # what follows the last chunk are fields
            _fields(_lines(self.fp))
            self.chunked, self.length = False, 0
            return b""
        part = self.fp.read1(_most(n, left))
        if not part:
            raise ChunkError("a chunk breaks off")
        self.chunk_left = left - len(part)
        if not self.chunk_left and self.fp.read(len(_END_OF_CHUNK)) != _END_OF_CHUNK:
            raise ChunkError("a chunk is longer than its size, or breaks off")
        return part

    def _frame(self, named: Mapping[bytes, Sequence[bytes]]) -> None:
        """Find where the body ends, and whether the connection ends with it."""
        length = _length(named.get(b"content-length", ()))
        self.chunked = _is_chunked(named.get(b"transfer-encoding", ()))
        self.chunk_left = None
        self.length = None if self.chunked else length
        if self._is_for_head or self.status in _BODILESS:
            self.chunked, self.length = False, 0
        tokens = b",".join(named.get(b"connection", ())).lower().split(b",")
        self.will_close = (
            self.version == 10  # noqa: PLR2004
            or b"close" in map(bytes.strip, tokens)
            or (self.length is None and not self.chunked)
        )


class _Source(io.RawIOBase):
    """Reads from a connection; what ``http.client`` takes for a socket, as it asks for no more."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.is_open = True
        """Otherwise only what was read before it was wanted is to be had."""

    def makefile(self, _: str) -> io.BufferedReader:
        """What an answer is read from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Into ``buffer``, once."""
        return self._connection.recv_into(buffer) if self.is_open else None


def _most(wanted: int, left: int | None) -> int:
    return wanted if left is None or 0 <= wanted < left else left


def _chunk(file: IO[bytes]) -> int:
    """The size of the next one; 0: it is the last."""
    found = _SIZE.fullmatch(file.readline(_MOST_BYTES))
    if found is None:
        raise ChunkError("a chunk has no size")
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
        raise HeadError("the head breaks off, or is too long")
    raise HeadError("the server hung up without an answer")


def _status(lines: Sequence[bytes]) -> tuple[int, int, bytes]:
    """The minor version, the status, and what it is called."""
    found = _STATUS.fullmatch(lines[0]) if lines else None
    if found is None:
        raise HeadError("the first line is no status line")
    return int(found[1]), int(found[2]), found[3] or b""


def _fields(lines: Iterable[bytes]) -> Fields:
    whole: list[bytes] = []
    for line in lines:
        if line[0] not in b" \t":
            whole.append(line)
        elif whole:  # continues the one before, as HTTP once allowed
            whole[-1] += b" " + line.strip(b" \t")
        else:
            raise HeadError("the first field has no name")
    return [_field(line) for line in whole]


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise HeadError("a line of the head is no field")
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
        raise HeadError("Content-Length is no number")
    return int(first)


def _is_chunked(said: Sequence[bytes]) -> bool:
    if not said:
        return False
    if [one.lower() for one in said] != [b"chunked"]:
        raise HeadError("Transfer-Encoding is not chunked")
    return True
