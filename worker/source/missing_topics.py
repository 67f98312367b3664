"""Says which topic is waited for, and which one may have been meant, asked in a thread."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from worker.quiet_log import QuietLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka.admin import AdminClient

    from worker.clock import Clock

_log = logging.getLogger(__name__)
_REQUEST_S = 5.0


def meant_instead_of(topic: str, known: Iterable[str]) -> str:
    """A hint for who may have mistyped a topic; empty where no name is like it."""
    near = get_close_matches(topic, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


class MissingTopics:
    """Warns of each at most every 30 seconds."""

    def __init__(self, admin: AdminClient, clock: Clock) -> None:
        self._admin = admin
        self._quiet = QuietLog(_log, clock)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="missing-topics")

    def warn(self, topic: str) -> None:
        """Never blocks."""
        self._thread.submit(self._warn, topic)

    def close(self) -> None:
        """Ask no more; a question under way is left alone."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _warn(self, topic: str) -> None:
        if self._quiet.is_due(topic):
            _log.warning("Waiting for topic %s to appear%s.", topic, self._hint(topic))

    def _hint(self, topic: str) -> str:
        try:
            return meant_instead_of(topic, self._admin.list_topics(timeout=_REQUEST_S).topics)
        except KafkaException:
            return ""
