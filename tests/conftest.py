"""Holds for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.stack.browser import chromium
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

settings.register_profile("vecsink", deadline=None)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("vecsink")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real one; skips, saying what is missing, only where it cannot be had."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - few tests need it

    try:
        found = chromium()
    except StackUnavailable as error:
        pytest.skip(f"left out, as no browser can be had here: {error}")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found.program, env=found.environment, args=["--no-sandbox"]
        )
        yield launched
        launched.close()
