"""What has to be read for replays, one job after the other, beside the task's thread."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from worker.pipeline.background import Background

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from worker.pipeline.background import Ended
    from worker.pipeline.inquiry import Inquiry
    from worker.pipeline.replay_job import Job


class Questions:
    """First the letters of a job, then what came after them; belongs to the task's thread."""

    def __init__(self, inquiry: Inquiry, pool: Executor | None) -> None:
        self._inquiry = inquiry
        self._asking: Background[Job] = Background("replays", pool=pool)
        self._waiting: deque[Job] = deque()

    def put(self, job: Job) -> None:
        """Something has to be read for it, once its turn comes."""
        self._waiting.append(job)

    def answered(self) -> Sequence[Ended[Job]]:
        """Jobs for which all was read that was asked. Never blocks."""
        return self._asking.ended()

    def go_on(self) -> None:
        """Begin with the next one, if nothing is under way."""
        while self._waiting and not self._asking.under_way:
            job = self._waiting.popleft()
            if job.ledger.is_open:
                self._asking.begin(job, self._read)

    def close(self) -> None:
        """Let the thread end."""
        self._inquiry.close()
        self._asking.close()

    def _read(self, job: Job) -> None:
        if job.scanned_to is None:
            job.opened = self._inquiry.open(job.asked)
        else:
            with_key = [one for one in job.candidates if one.key is not None]
            self._inquiry.follow(with_key, job.ledger, job.scanned_to)
