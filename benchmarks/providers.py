"""The providers' embedders against the barest call there is, on ``vecsink provider-local``.

python -m benchmarks.providers
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from binascii import a2b_base64
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import numpy as np
import orjson

from worker.embed.port import Purpose
from worker.plugins import EMBEDDERS, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.embed.port import Embedder

PATHS = {"cohere": "/cohere", "openai": "/openai/v1", "voyage": "/voyage/v1"}
DIMENSIONS = 1024
TEXTS = [f"row {number} " + "some words of a product text " * 12 for number in range(96)]
ROUNDS, CALLS = 5, 60
LATENCY_S, THREADS, PARALLEL_CALLS = 0.1, 16, 400


@contextmanager
def server() -> Iterator[str]:
    """The address of a server in a process of its own."""
    program = "from worker.cli.app import main; main()"
    command = [sys.executable, "-c", program, "provider-local", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found is not None
        yield found[0]
        process.terminate()


def opened(name: str, url: str) -> Embedder:
    """A provider's embedder for vectors of ``DIMENSIONS``."""
    plugin = Registry(EMBEDDERS).load(name)
    keys = {
        "embedder.base.url": url + PATHS[name],
        "embedder.api.key": "any",
        "embedder.dimensions": str(DIMENSIONS),
    }
    made: Embedder = plugin(plugin.Config.model_validate(keys))
    return made


def bare(url: str) -> Callable[[], object]:
    """The least that can be done: no errors, no checks."""
    http = httpx.Client(headers={"authorization": "Bearer any"})
    asked = {
        "model": "text-embedding-3-small",
        "encoding_format": "base64",
        "dimensions": DIMENSIONS,
        "input": TEXTS,
    }

    def call() -> object:
        answer = http.post(f"{url}/openai/v1/embeddings", content=orjson.dumps(asked)).content
        rows = b"".join(a2b_base64(item["embedding"]) for item in orjson.loads(answer)["data"])
        return np.frombuffer(rows, "<f4").reshape(len(TEXTS), DIMENSIONS)

    return call


def cpu_us(call: Callable[[], object]) -> float:
    """Median CPU of this thread per row."""
    call()
    taken: list[float] = []
    for _ in range(CALLS):
        began_s = time.thread_time()
        call()
        taken.append((time.thread_time() - began_s) / len(TEXTS) * 1e6)
    return statistics.median(taken)


def rows_per_s(embedder: Embedder) -> float:
    """With the default number of calls side by side and an answer after ``LATENCY_S``."""
    with ThreadPoolExecutor(THREADS) as pool:
        began_s = time.perf_counter()
        list(pool.map(lambda _: embedder.embed(TEXTS, Purpose.DOCUMENT), range(PARALLEL_CALLS)))
        return PARALLEL_CALLS * len(TEXTS) / (time.perf_counter() - began_s)


def main() -> None:
    """Rounds alternate, so that all meet the same load of the machine."""
    with server() as url:
        embedders = {name: opened(name, url) for name in PATHS}
        calls: dict[str, Callable[[], object]] = {"bare httpx + orjson": bare(url)}
        for name, embedder in embedders.items():
            calls[name] = lambda embedder=embedder: embedder.embed(TEXTS, Purpose.DOCUMENT)  # type: ignore[misc]
        seen: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, call in calls.items():
                seen[name].append(cpu_us(call))
        for name, figures in seen.items():
            print(f"{name:20} {min(figures):5.1f} to {max(figures):5.1f} µs of CPU per row")
        httpx.put(f"{url}/_local/faults", json={"latency_s": LATENCY_S}).raise_for_status()
        for name, embedder in embedders.items():
            print(f"{name:20} {rows_per_s(embedder):,.0f} rows/s, {THREADS} calls side by side")
            embedder.close()


if __name__ == "__main__":
    main()
