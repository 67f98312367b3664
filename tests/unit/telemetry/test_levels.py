"""Levels of loggers, changed while the worker runs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.telemetry.logger_levels import kept
from worker.telemetry.levels import is_level, level_of, levels, set_level
from worker.telemetry.logs import CHATTY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def tree() -> Iterator[None]:
    """``tree``, ``tree.a`` and ``tree.a.b``, and all levels as before at the end."""
    for name in ("tree", "tree.a", "tree.a.b", "treetop", *CHATTY):
        logging.getLogger(name)
    with kept():
        yield


def test_a_level_holds_for_all_below() -> None:
    before_ms = int(time.time() * 1000)
    logging.getLogger("tree.a.b").setLevel("ERROR")
    assert set_level("tree", "debug") == ["tree", "tree.a", "tree.a.b"]
    for name in ("tree", "tree.a", "tree.a.b"):
        found = level_of(name)
        assert found is not None
        assert found.level == "DEBUG"
        assert logging.getLogger(name).isEnabledFor(logging.DEBUG)
    changed = level_of("tree")
    assert changed is not None
    assert changed.last_modified_ms is not None
    assert changed.last_modified_ms >= before_ms


def test_who_has_a_level_of_its_own_is_listed() -> None:
    set_level("tree.a", "WARN")
    assert levels()["tree.a"].level == "WARN"
    assert "tree" not in levels()
    assert next(iter(levels())) == "root"


def test_a_logger_that_nobody_made_has_none() -> None:
    assert level_of("tree.x") is None
    assert set_level("tree.x", "INFO") == ["tree.x"]
    assert level_of("tree.x") is not None


def test_the_root_changes_all_but_the_chatty() -> None:
    logging.getLogger("httpx").setLevel("WARNING")
    changed = set_level("root", "DEBUG")
    assert level_of("ROOT") == level_of("root") == levels()["root"]
    assert {"root", "tree", "treetop"} <= set(changed)
    assert not set(CHATTY) & set(changed)
    assert logging.getLogger().level == logging.DEBUG
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


@pytest.mark.parametrize("name", ["httpcore", "httpcore.http11", "pinecone"])
def test_what_would_write_what_is_sent_stays_quiet(name: str) -> None:
    with pytest.raises(ValueError, match="INFO is its lowest level"):
        set_level(name, "DEBUG")
    assert set_level(name, "INFO")[0] == name


@pytest.mark.parametrize("word", ["ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"])
def test_connects_words_come_back(word: str) -> None:
    assert is_level(word.lower())
    set_level("tree", word)
    found = level_of("tree")
    assert found is not None
    assert found.level == word


def test_other_words_are_refused() -> None:
    assert not is_level("WARNING")
    with pytest.raises(ValueError, match="invalid log level 'LOUD'"):
        set_level("tree", "LOUD")
