"""Debian packages unpacked into a folder, with nothing installed; apt finds what they need."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.stack.home import home
from tests.stack.java import run_quietly
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

APT_CONFIG = """
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
"""
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
NOT_NEEDED = ("perl", "libperl", "gcc-")
"""Beginnings of packages that servers depend on for their scripts alone."""


def unpack(package: str, suite: str | None, target: Path, without: tuple[str, ...] = ()) -> None:
    """Download a package with its dependencies and unpack all into ``target``.

    ``suite`` None is the machine's own; ``without`` are beginnings of packages to leave out. Works
    as any user, as apt gets folders of its own.

    Raises:
        StackUnavailable: this is no Debian, or the download failed.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise StackUnavailable(f"{package} comes from Debian's archive, and apt-get is not here")
    with TemporaryDirectory(dir=home()) as scratch:
        for archive in _download(package, suite, Path(scratch)):
            if not archive.name.startswith((*NOT_NEEDED, *without)):
                run_quietly(["dpkg", "-x", str(archive), str(target)])


def unpack_alone(package: str, target: Path) -> None:
    """The same without what it depends on, of the machine's own suite.

    Raises:
        StackUnavailable: this is no Debian, or the download failed.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise StackUnavailable(f"{package} comes from Debian's archive, and apt-get is not here")
    with TemporaryDirectory(dir=home()) as scratch:
        environment = _apt(None, Path(scratch))
        run_quietly(["apt-get", "-q", "download", package], env=environment, cwd=scratch)
        for archive in Path(scratch).glob("*.deb"):
            run_quietly(["dpkg", "-x", str(archive), str(target)])


def loader(root: Path) -> list[str]:
    """The start of a command that runs a program below ``root`` with the libraries there.

    They may need a newer C library than the machine's, so the loader that came with them runs.
    """
    found = next(root.rglob("ld-linux-*.so.*"), None)
    if found is None:
        raise StackUnavailable(f"no dynamic loader was unpacked into {root}")
    libraries = {str(file.parent) for file in root.rglob("*.so.*")}
    return [str(found), "--library-path", ":".join(sorted(libraries))]


def _download(package: str, suite: str | None, folder: Path) -> list[Path]:
    environment = _apt(suite, folder)
    install = ["apt-get", "-q", "-y", "install", "--download-only", package]
    run_quietly(install, env=environment)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _apt(suite: str | None, folder: Path) -> dict[str, str]:
    """The environment in which apt works in this folder, with lists that are up to date."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "state" / "status").touch()
    (folder / "sources.list").write_text("\n".join(_lines(suite)) + "\n")
    (folder / "apt.conf").write_text(APT_CONFIG.format(folder=folder))
    environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
    run_quietly(["apt-get", "-q", "update"], env=environment)
    return environment


def _lines(suite: str | None) -> list[str]:
    """Apt source lines of the machine's own Debian archives."""
    own = list(_own_sources())
    if not own:
        raise StackUnavailable("no Debian archive among the apt sources of this machine")
    if suite is None:
        return [f"deb {options} {uri} {name} main" for options, uri, name in own]
    options, uri, _ = own[0]
    return [f"deb {options} {uri} {suite} main"]


def _own_sources() -> Iterator[tuple[str, str, str]]:
    """Options, address and suite of every source that is a Debian archive."""
    files = [SOURCES[0], *sorted(SOURCES[1].glob("*"))]
    for file in filter(Path.is_file, files):
        text = file.read_text(errors="replace")
        if file.suffix == ".sources":
            yield from _stanzas(text)
        else:
            yield from _one_liners(text)


def _stanzas(text: str) -> Iterator[tuple[str, str, str]]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.+)$", stanza, re.MULTILINE))
        if "/debian" not in fields.get("URIs", ""):
            continue
        key = fields.get("Signed-By", "")
        for suite in fields.get("Suites", "").split():
            yield f"[signed-by={key}]" if key else "", fields["URIs"].split()[0], suite


def _one_liners(text: str) -> Iterator[tuple[str, str, str]]:
    pattern = r"^deb\s+(\[[^]]*\])?\s*(\S+/debian\S*)\s+(\S+)"
    yield from re.findall(pattern, text, re.MULTILINE)
