"""Java, Maven and Debian packages: found, or installed where that is possible."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NEEDED_JAVA = 17
DEBIAN_PACKAGES = {"java": "default-jre-headless", "mvn": "maven"}
QUICK_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""For servers that live for minutes on few cores: start fast, use little memory."""
LOG_TAIL_LINES = 25


def require_java() -> None:
    """Make sure that Java and Maven are there.

    Raises:
        StackUnavailable: one is missing and cannot be installed here.
    """
    missing = [tool for tool in DEBIAN_PACKAGES if shutil.which(tool) is None]
    if missing:
        _install([DEBIAN_PACKAGES[tool] for tool in missing], missing)
    version = _java_version()
    if version < NEEDED_JAVA:
        raise StackUnavailable(f"Kafka needs Java {NEEDED_JAVA} or newer, found {version}")


def run_quietly(args: Sequence[str], **options: object) -> str:
    """Run a command to its end; what it wrote to its standard output.

    Raises:
        StackUnavailable: it failed; the end of its output is in the message.
    """
    done = subprocess.run(args, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]  # options by their name
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise StackUnavailable(f"{' '.join(args[:4])} … failed:\n{tail}")
    return str(done.stdout)


def run_logged(args: Sequence[str | Path], log: Path, **environment: str) -> None:
    """Run a command to its end, with what it says in a file, for what takes minutes.

    Raises:
        StackUnavailable: it failed; the end of its log is in the message.
    """
    with log.open("wb") as file:
        done = subprocess.run(
            args,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            check=False,
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        command = " ".join(map(str, args[:2]))
        raise StackUnavailable(f"{command} … failed; the end of {log}:\n{tail}")


def _install(packages: list[str], missing: list[str]) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise StackUnavailable(
            f"{' and '.join(missing)} not found: install Java {NEEDED_JAVA}+ and Maven "
            "(on Debian as root this is done for you)"
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_quietly(["apt-get", "-q", "update"], env=environment)
    command = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages]
    run_quietly(command, env=environment)


def _java_version() -> int:
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True)
    found = re.search(r'version "(\d+)', shown.stderr)
    return int(found[1]) if found else 0
