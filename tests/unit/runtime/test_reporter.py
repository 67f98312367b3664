from __future__ import annotations

from worker.model import TopicPartition
from worker.runtime.board import Board
from worker.runtime.reporter import Reporter
from worker.state.memory import MemoryLog, MemoryStateTopic


def test_a_topic_is_active_also_where_that_could_not_be_said_at_once() -> None:
    topic = MemoryStateTopic(MemoryLog())
    board = Board(topic, lambda _logger, _level: None)
    reporter = Reporter(board, "pod", "a:1")
    topic.refuse_posts()
    reporter.read("products", {TopicPartition("t", 0): 1})
    topic.up()
    reporter.read("products", {TopicPartition("t", 0): 1})
    assert board.topics("products") == ["t"]
