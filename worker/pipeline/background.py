"""Slow work beside the polling thread, which collects what ended."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

T = TypeVar("T")


@immutable(eq=False)
class Ended(Generic[T]):
    """Work that ended, well or with what it raised."""

    subject: T
    error: BaseException | None = None


class Background(Generic[T]):
    """A few threads, made when there is something to do. All methods belong to one thread."""

    def __init__(self, name: str, *, threads: int = 1, pool: Executor | None = None) -> None:
        """``pool`` is where it is done; threads of its own by default."""
        self._pool = pool or ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._ended: queue.SimpleQueue[Ended[T]] = queue.SimpleQueue()
        self.under_way = 0
        """Begun and not collected."""

    def begin(self, subject: T, work: Callable[[T], None]) -> None:
        """Do it in one of the threads, after what was begun before."""
        self.under_way += 1
        self._pool.submit(self._do, subject, work)

    def ended(self) -> list[Ended[T]]:
        """What ended since the last call. Never blocks."""
        found: list[Ended[T]] = []
        while self.under_way:
            try:
                found.append(self._ended.get_nowait())
            except queue.Empty:
                break
            self.under_way -= 1
        return found

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _do(self, subject: T, work: Callable[[T], None]) -> None:
        try:
            work(subject)
        except BaseException as error:  # noqa: BLE001 - the task's thread decides what it means
            self._ended.put(Ended(subject, error))
        else:
            self._ended.put(Ended(subject))
