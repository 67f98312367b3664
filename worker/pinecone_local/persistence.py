"""A journal of acknowledged writes, one file per index.

Guarantee: a write is in the operating system's hands before it is acknowledged, so everything
acknowledged survives ``kill -9`` of this process. It is not forced to the disk, so a crash of the
machine may lose the last seconds. A record cut short by a crash is dropped when the file is opened,
and with it nothing that was acknowledged. Rewriting happens in a second file that takes the first
one's place in one step.

Format: for each entry its length and CRC-32 (big-endian, 4 bytes each), then a JSON line
``[operation, namespace]`` and the request body as it came.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO

import orjson

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FRAME = struct.Struct(">II")
_REWRITE_BYTES = 64 * 1024 * 1024
_REWRITE_FACTOR = 4


@immutable
class Entry:
    """One write: what was asked for, of which namespace, with which body."""

    operation: str
    namespace: str
    body: bytes

    def encoded(self) -> bytes:
        """The entry as it stands in the file."""
        payload = orjson.dumps([self.operation, self.namespace]) + b"\n" + self.body
        return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload

    @classmethod
    def decoded(cls, payload: bytes) -> Entry:
        """Read back what ``encoded`` wrote, without its frame."""
        head, _, body = payload.partition(b"\n")
        operation, namespace = orjson.loads(head)
        return cls(operation, namespace, body)


class Journal:
    """An append-only file of entries."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._size = self._file.tell()
        self._size_at_rewrite = self._size

    def replay(self) -> Iterator[Entry]:
        """Every whole entry, oldest first; afterwards a torn end is cut off."""
        good = 0
        with self._path.open("rb") as file:
            while (payload := _read(file)) is not None:
                good += _FRAME.size + len(payload)
                yield Entry.decoded(payload)
        if good < self._size:
            self._file.truncate(good)
            self._size = good

    def append(self, entry: Entry) -> None:
        """Hand an entry to the operating system."""
        encoded = entry.encoded()
        self._file.write(encoded)
        self._file.flush()
        self._size += len(encoded)

    @property
    def has_grown(self) -> bool:
        """Whether rewriting it with the current content alone is worth the while."""
        return self._size > max(_REWRITE_BYTES, _REWRITE_FACTOR * self._size_at_rewrite)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the whole content in one step."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            for entry in entries:
                file.write(entry.encoded())
            file.flush()
            os.fsync(file.fileno())
        self._file.close()
        fresh.replace(self._path)
        self._file = self._path.open("ab")
        self._size = self._size_at_rewrite = self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def delete(self) -> None:
        """Close the file and remove it."""
        self.close()
        self._path.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Put content into a file so that readers see the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _read(file: BinaryIO) -> bytes | None:
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack(head)
    payload = file.read(length)
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None
