"""glibc's heap: how many arenas threads share, and what stays there for the next use.

Other C libraries have no such arenas, and no ``mallopt`` that does anything.
"""

from __future__ import annotations

import ctypes

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
"""Of ``mallopt``, in glibc's ``malloc.h``."""


def share_arenas(arenas: int) -> None:
    """So many for all threads: one for each thread would keep what once was in use there."""
    _set(_ARENA_MAX, arenas)


def keep_blocks(large_bytes: int, kept_bytes: int) -> None:
    """Keep blocks below a size, 32 MiB at most, and so many bytes at each arena's end.

    What goes back to the system comes again page by page, each with a fault.
    """
    _set(_MMAP_THRESHOLD, large_bytes)
    _set(_TRIM_THRESHOLD, kept_bytes)


def _set(option: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(option, value)
