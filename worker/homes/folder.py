"""Connector files and folders of them, watched: a new file starts, a removed one stops.

Contents are compared, not times, so that all ways to change a file are seen alike: an editor, a
copy, and the swap of a symbolic link by which Kubernetes changes a mounted ConfigMap.
"""

from __future__ import annotations

import logging
import math
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from worker.config.load import is_connector_file, read_text
from worker.config.problem import errors_of
from worker.homes.port import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from worker.clock import Clock

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5

_Content: TypeAlias = bytes | str
"""What a file holds; as text, why it cannot be read."""


class FolderHome:
    """Reads all files again and again; what was seen twice alike counts.

    A file in the middle of being written is not what somebody meant, and a name may be gone for a
    moment while an editor saves. A file that cannot be read leaves what it said before in force,
    and the other files alone. Names that begin with a dot are those of editors and Kubernetes.
    """

    def __init__(self, paths: Iterable[Path], clock: Clock) -> None:
        self._paths = tuple(paths)
        self._folders = frozenset(path for path in self._paths if path.is_dir())
        self._clock = clock
        self._due_s = -math.inf
        self._away = ""
        """Why nobody can say what is there."""
        self._accepted: Mapping[Path, _Content] | None = None
        self._candidate: Mapping[Path, _Content] | None = None
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

    def _contents(self) -> Mapping[Path, _Content] | None:
        """None: nobody can say, as a folder is away."""
        try:
            files = list(self._files())
        except OSError as error:
            if self._away != str(error):
                _log.error("The connector files cannot be read: %s.", error)
            self._away = str(error)
            return None
        self._away = ""
        return {file: _content(file) for file in files}

    def _files(self) -> Iterable[Path]:
        for path in self._paths:
            if path in self._folders:
                inside = sorted(path.iterdir())  # a folder that is away is not an empty one
                yield from (one for one in inside if is_connector_file(one))
            elif path.exists():
                yield path

    def _accept(self, seen: Mapping[Path, _Content]) -> None:
        before, self._accepted, self._candidate = self._accepted or {}, seen, None
        for file in self._by_file.keys() - seen.keys():
            _log.info("%s is gone.", file)
            del self._by_file[file]
        for file, content in seen.items():
            if before.get(file) != content:
                self._read(file, content)
        self._stored = MappingProxyType(self._named())

    def _read(self, file: Path, content: _Content) -> None:
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


def _content(file: Path) -> _Content:
    try:
        return file.read_bytes()
    except OSError as error:
        return error.strerror or "no file"


def _parsed(file: Path, content: _Content) -> tuple[Mapping[str, str], str]:
    """The values, or what is wrong with the text."""
    if isinstance(content, str):
        return {}, f"{file}: cannot be read: {content}"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return {}, f"{file}: cannot be read: not UTF-8"
    values, problems = read_text(text, file=str(file))
    errors = errors_of(problems)
    return values or {}, "\n".join(str(problem) for problem in errors)
