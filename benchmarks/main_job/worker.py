"""``vecsink run`` as a child process, its CPU and memory looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from benchmarks.main_job.kernel import cpu_s, peak_mib
from tests.stack.worker_process import COMMAND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """What the kernel said about the process at a moment."""

    at_ms: float
    """Unix time."""
    cpu_s: float


class Worker:
    """One run of one connector; a second ``start`` goes on where the group stands."""

    def __init__(
        self, folder: Path, config: Mapping[str, str], environment: Mapping[str, str]
    ) -> None:
        self.name = config["name"]
        self.log_file = folder / f"{config['name']}.log"
        self._file = folder / f"{config['name']}.json"
        self._file.write_text(json.dumps(config))
        self._environment = {**os.environ, **environment}
        # An installed package has its bytecode; without it a start compiles everything anew.
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._looks: list[Look] = []
        self.peak_mib = 0.0
        self.cpu_s = 0.0
        self.started_ms = 0.0
        self.ended_ms = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.kill()

    def start(self) -> None:
        """Run until caught up."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "run", self._file, "--until-caught-up"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.started_ms = time.time() * 1000
        self._looks.clear()
        self._watch = threading.Thread(target=self._look_on, args=(self._process.pid,), daemon=True)
        self._watch.start()

    def kill(self) -> None:
        """As a power cut does."""
        self._process.kill()
        self._process.wait()

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            RuntimeError: it failed; the end of its log is in the message.
        """
        # Not by Popen, as the kernel says at the reaping alone what the process took in all.
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.ended_ms = time.time() * 1000
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self._watch.join()
        if self._process.returncode != 0:
            raise RuntimeError(f"vecsink ended with {self._process.returncode}:\n{self.log}")

    @property
    def log(self) -> str:
        """What it has said."""
        return self.log_file.read_text()

    def cpu_s_at(self, unix_ms: float) -> float:
        """CPU until a moment, to a twentieth of a second."""
        return next((look.cpu_s for look in self._looks if look.at_ms >= unix_ms), self.cpu_s)

    def _look_on(self, pid: int) -> None:
        while self._process.returncode is None:
            try:
                self._looks.append(Look(time.time() * 1000, cpu_s(pid)))
                self.peak_mib = max(self.peak_mib, peak_mib(pid))
            except (FileNotFoundError, ProcessLookupError):
                return
            time.sleep(_LOOK_EVERY_S)
