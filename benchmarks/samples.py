"""What goes on meanwhile: how busy the GPU is, and in which functions Python's threads are."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from statistics import mean
from typing import TYPE_CHECKING, Self

import torch

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_EVERY_S = 0.1
_FRAMES_EVERY_S = 0.007
_OURS = ("worker/", "benchmarks/")


class _Sampler:
    """Looks again and again, within a ``with`` block."""

    every_s = _EVERY_S

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._ended.wait(self.every_s):
            self.look()

    def look(self) -> None:
        raise NotImplementedError


class Utilisation(_Sampler):
    """Per cent of time in which the GPU ran anything; None where nobody can tell."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[int] = []

    @property
    def mean(self) -> float | None:
        return round(mean(self._seen), 1) if self._seen else None

    def look(self) -> None:
        try:
            self._seen.append(torch.cuda.utilization())
        except Exception:  # noqa: BLE001 - no GPU, or no library that asks it
            self._ended.set()


class Frames(_Sampler):
    """How often which function was found running or waiting, by kind of thread."""

    every_s = _FRAMES_EVERY_S

    def __init__(self) -> None:
        super().__init__()
        self._found: Counter[str] = Counter()
        self._looks = 0

    def look(self) -> None:
        self._looks += 1
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the documented way
            name = names.get(ident, "?").rstrip("0123456789").rstrip("_-")
            if name != "sampler":
                self._found[f"{name}: {_place(frame)}"] += 1

    def most(self, count: int) -> list[tuple[str, float]]:
        """Places, and in how many looks a thread was there (more than 1: several threads)."""
        return [
            (place, round(found / max(1, self._looks), 3))
            for place, found in self._found.most_common(count)
        ]


def _place(frame: FrameType) -> str:
    """The innermost function, and the innermost of ours around it."""
    inner = _name(frame)
    ours: FrameType | None = frame
    while ours is not None and not any(part in ours.f_code.co_filename for part in _OURS):
        ours = ours.f_back
    return inner if ours is None or ours is frame else f"{_name(ours)} > {inner}"


def _name(frame: FrameType) -> str:
    file = frame.f_code.co_filename.rpartition("/")[2]
    return f"{file}:{frame.f_code.co_name}"
