"""Connector files and folders of them, watched: a new file starts, a removed one stops.

Contents are compared, not times, so that all ways to change a file are seen alike: an editor, a
copy, and the swap of a symbolic link by which Kubernetes changes a mounted ConfigMap.
"""

from __future__ import annotations

import logging
import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from worker.config.load import read_text
from worker.config.problem import errors_of
from worker.homes.port import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from worker.clock import Clock

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5


class FolderHome:
    """Reads all files again and again; what was seen twice alike counts.

    A file in the middle of being written is not what somebody meant, and a name may be gone for a
    moment while an editor saves. A file that cannot be read leaves what it said before in force.
    """

    def __init__(self, paths: Iterable[Path], clock: Clock) -> None:
        self._paths = tuple(paths)
        self._folders = frozenset(path for path in self._paths if path.is_dir())
        self._clock = clock
        self._due_s = -math.inf
        self._accepted: Mapping[Path, bytes] | None = None
        self._candidate: Mapping[Path, bytes] | None = None
        self._by_file: dict[Path, tuple[str, Stored]] = {}
        self._stored: Mapping[str, Stored] = MappingProxyType({})

    def look(self) -> None:
        """Twice a second."""
        now_s = self._clock.now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _LOOK_EVERY_S
        seen = self._contents()
        if seen is None or seen == self._accepted:
            self._candidate = None
        elif seen == self._candidate or self._accepted is None:
            self._accept(seen)
        else:
            self._candidate = seen

    def stored(self) -> Mapping[str, Stored]:
        """By the names that the files say."""
        return self._stored

    def _contents(self) -> Mapping[Path, bytes] | None:
        """None: nobody can say, as a folder is away."""
        found: dict[Path, bytes] = {}
        try:
            for file in self._files():
                found[file] = file.read_bytes()
        except OSError as error:
            _log.debug("The connector files cannot be read: %s.", error)
            return None
        return found

    def _files(self) -> Iterable[Path]:
        for path in self._paths:
            if path in self._folders:
                path.stat()  # a folder that is away is not an empty one
                yield from sorted(path.glob("*.json"))
            elif path.exists():
                yield path

    def _accept(self, seen: Mapping[Path, bytes]) -> None:
        before, self._accepted, self._candidate = self._accepted or {}, seen, None
        for file in self._by_file.keys() - seen.keys():
            _log.info("%s is gone.", file)
            del self._by_file[file]
        for file, content in seen.items():
            if before.get(file) != content:
                self._read(file, content)
        self._stored = MappingProxyType(self._named())

    def _read(self, file: Path, content: bytes) -> None:
        values, problem = _parsed(file, content)
        name = values.get("name", "").strip()
        if not problem and not name:
            problem = f"{file}: name: missing"
        if not problem:
            self._by_file[file] = name, Stored(values, str(file))
            return
        _log.error("%s", problem)
        if file in self._by_file:
            name, good = self._by_file[file]
            self._by_file[file] = name, Stored(good.values, good.origin, problem)

    def _named(self) -> dict[str, Stored]:
        named: dict[str, Stored] = {}
        for file in self._accepted or {}:
            if file not in self._by_file:
                continue
            name, stored = self._by_file[file]
            first = named.setdefault(name, stored)
            if first is not stored:
                _log.error("%s: name: %s has the name %r already", file, first.origin, name)
        return named


def _parsed(file: Path, content: bytes) -> tuple[Mapping[str, str], str]:
    """The values, or what is wrong with the text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return {}, f"{file}: cannot be read: not UTF-8"
    values, problems = read_text(text, file=str(file))
    errors = errors_of(problems)
    return values or {}, "\n".join(str(problem) for problem in errors)
