"""Schemas fetched beside the polling thread, so that a slow registry never stops the polls."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.decode.port import Decoder, SchemaNeeded
    from worker.pipeline.patience import Patience


_THREADS = 4
"""So that an id that its registry cannot serve holds up no other."""


@immutable
class Fetched:
    """A schema that is in memory now, or why it is not."""

    needed: SchemaNeeded
    error: BaseException | None = None


class SchemaLoader:
    """A few threads that load schemas and wait out the registries' outages."""

    def __init__(self, decoder: Decoder, patience: Patience) -> None:
        self._decoder = decoder
        self._patience = patience
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="schemas")
        self._fetched: queue.SimpleQueue[Fetched] = queue.SimpleQueue()

    def request(self, needed: SchemaNeeded) -> None:
        """Start loading."""
        self._pool.submit(self._load, needed)

    def fetched(self) -> list[Fetched]:
        """What ended since the last call. Never blocks."""
        ended: list[Fetched] = []
        while True:
            try:
                ended.append(self._fetched.get_nowait())
            except queue.Empty:
                return ended

    def close(self) -> None:
        """Let the thread end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _load(self, needed: SchemaNeeded) -> None:
        try:
            self._patience(f"loading schema {needed.schema_id}", lambda: self._decoder.load(needed))
        except BaseException as error:  # noqa: BLE001 - the task's thread decides what it means
            self._fetched.put(Fetched(needed, error))
        else:
            self._fetched.put(Fetched(needed))
