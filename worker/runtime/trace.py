"""Why a task failed, as text for the status: the way through the code, without what it handled.

Messages of our own errors are shown, as they hold no secret and no row. Those of other people's
errors may quote anything, so of them the class is shown alone; the log has the rest.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator


def trace_of(error: BaseException) -> str:
    """The error and its causes, the last raised first, as Java writes them. Never empty."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    cause: BaseException | None = error
    before = ""
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield before + _headline(cause)
        for frame, line in reversed(list(traceback.walk_tb(cause.__traceback__))):
            code = frame.f_code
            yield f"\tat {code.co_qualname} ({code.co_filename.rpartition('/')[2]}:{line})"
        before = "Caused by: "
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _headline(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}" if isinstance(error, WorkerError) else name
