"""Memory, set for a process that holds many records, makes few cycles and has dozens of threads."""

from __future__ import annotations

import gc

from worker.heap import keep_blocks, share_arenas

_THRESHOLDS = 250_000, 20, 50
"""Objects made and not freed, before a collection of each generation: more than a full buffer has,
as filling that (a dozen objects a row) is no reason to look for garbage."""
_ARENAS = 2
_LARGE_BYTES = 2 * 1024 * 1024
"""More than a request or an answer has, as a rule: those are made where others were before."""
_KEPT_BYTES = 8 * 1024 * 1024
"""At the end of each arena, for the next ones."""


def hold_collector() -> None:
    """Collect nothing until ``calm_collector``.

    Loading the modules makes 90,000 objects and a thousand that are garbage; to look for those took
    a tenth of the CPU of a start.
    """
    gc.disable()


def calm_collector() -> None:
    """Collect seldom, and never look at what the start-up left.

    By default each few hundred records that wait start a collection, which walks over all others
    that wait: that alone was a sixth of the engine's CPU. Memory stays bounded all the same, as
    records and batches are no cycles and go with their last reference.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
    _share_arenas()


def _share_arenas() -> None:
    """Let threads share the heap, and keep what requests and answers take again and again.

    An arena for each thread would keep what once was in use there.

    With 24 threads that is a fifth of the process: 160 instead of 197 MiB at 384 dimensions, 195
    instead of 257 at 1,024. The GIL keeps them from waiting for each other there.

    Memory that goes back to the system comes again page by page, each with a fault: 3 µs of each
    row's 5 KB in an upsert. So what requests and answers need stays here.
    """
    share_arenas(_ARENAS)
    keep_blocks(_LARGE_BYTES, _KEPT_BYTES)
