"""One run of Redpanda Connect with ``ordered.yaml``, looked at from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.main_job.kernel import peak_mib

if TYPE_CHECKING:
    from benchmarks.main_job.place import Place
    from benchmarks.rival.index import GrpcIndex
    from benchmarks.rows import Rows

_CONFIG = Path(__file__).parent / "ordered.yaml"
_LOOK_EVERY_S = 0.05
_MOST_S = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of either took."""

    rows_per_s: float
    """From the first embedding request to the last upsert."""
    calls_per_1000: float
    cpu_ms: float
    """Per row, start and end included."""
    peak_mib: float


def run(binary: Path, place: Place, rows: Rows, index: GrpcIndex, store_s: float) -> Run:
    """All rows, once.

    Raises:
        RuntimeError: it did not write all of them.
    """
    place.servers.reset()
    index.reset(store_s)
    letters = place.folder / f"letters-{uuid.uuid4()}"
    environment = {
        **os.environ,
        "BOOTSTRAP": place.kafka.bootstrap,
        "REGISTRY": place.registry,
        "TOPIC": rows.topic,
        "GROUP": str(uuid.uuid4()),
        "EMBED_URL": f"{place.servers.provider.url}/cohere",
        "PINECONE": index.address,
        "DEAD_LETTERS": str(letters),
    }
    log = place.folder / "connect.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [binary, "run", _CONFIG], env=environment, stdout=said, stderr=said
        )
    peak = _watch(process, index, rows.count)
    process.send_signal(signal.SIGTERM)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if index.vectors != rows.count or letters.exists():
        raise RuntimeError(f"{index.vectors} of {rows.count} rows were written:\n{log.read_text()}")
    embedded = place.servers.provider.stats("cohere")
    return Run(
        rows_per_s=rows.count / (index.last_ms - embedded["first_ms"]) * 1000,
        calls_per_1000=embedded["calls"] / rows.count * 1000,
        cpu_ms=(usage.ru_utime + usage.ru_stime) / rows.count * 1000,
        peak_mib=peak,
    )


def _watch(process: subprocess.Popen[bytes], index: GrpcIndex, rows: int) -> float:
    """Wait until all is written, or nothing comes any more; the most memory that it held."""
    until_s = time.monotonic() + _MOST_S
    peak = 0.0
    while index.vectors < rows and time.monotonic() < until_s and process.poll() is None:
        peak = max(peak, peak_mib(process.pid))
        time.sleep(_LOOK_EVERY_S)
    return peak
