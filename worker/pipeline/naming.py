"""Partitions in log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.model import TopicPartition


def names(partitions: Collection[TopicPartition]) -> str:
    """In order, as ``topic[0], topic[1]``."""
    return ", ".join(f"{topic}[{partition}]" for topic, partition in sorted(partitions))
