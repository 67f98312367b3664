"""One server process: started in the background, found again by its pid file, stopped by pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOG_TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class Command:
    """What to run."""

    args: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""
    user: str | None = None
    """Run as this user; None keeps ours."""
    stop_signal: int = signal.SIGTERM


class _Server(subprocess.Popen[bytes]):
    """A process that may outlive us, so that letting go of it deserves no warning."""

    def __del__(self) -> None:
        """Nothing: its pid file is how it is found again."""


class Process:
    """A server with ``<name>.pid`` and ``<name>.log`` in its run folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._pid_file = folder / f"{name}.pid"
        self.log_file = folder / f"{name}.log"
        self._child: _Server | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the running server, or None."""
        try:
            pid, _, born = self._pid_file.read_text().partition(" ")
        except FileNotFoundError:
            return None
        self._reap()
        return int(pid) if birth(int(pid)) == born else None

    def start(self, command: Command, ready: Callable[[], bool], timeout_s: float = 180.0) -> None:
        """Start it and wait until ``ready`` says so.

        Raises:
            RuntimeError: it ended, or was not ready in time; the end of its log is in the message.
        """
        if self.pid is not None:
            return
        self._launch(command)
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self.pid is None:
                raise RuntimeError(f"{self.name} ended while starting:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} is not ready in time:\n{self._log_tail()}")
            time.sleep(0.1)

    def stop(self, stop_signal: int = signal.SIGTERM, timeout_s: float = 20.0) -> None:
        """End it and wait until it is gone; it is killed if it takes too long."""
        for number, patience_s in ((stop_signal, timeout_s), (signal.SIGKILL, 10.0)):
            pid = self.pid
            if pid is None:
                break
            os.kill(pid, number)
            self._wait_until_gone(patience_s)
        if self._child is not None:
            self._child.wait()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.stop(signal.SIGKILL)

    def _launch(self, command: Command) -> None:
        account = {"user": command.user, "extra_groups": []} if command.user else {}
        with self.log_file.open("ab") as log:
            self._child = _Server(
                [str(arg) for arg in command.args],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **command.environment},
                cwd="/",
                start_new_session=True,  # Ctrl-C is for us; we stop the servers in order
                **account,  # type: ignore[call-overload]  # keyword arguments by their name
            )
        self._pid_file.write_text(f"{self._child.pid} {birth(self._child.pid)}")

    def _wait_until_gone(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(0.05)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.poll()

    def _log_tail(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])


def birth(pid: int) -> str | None:
    """When the kernel started this pid (clock ticks since boot); None if it is gone.

    Together with the pid it names one process for ever, also after the pid was given out again.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]


def memory_mib(pid: int) -> int:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
    return int(kib) // 1024
