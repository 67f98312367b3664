"""The console in a real browser: Debian's Chromium, in front of a shop in memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.unit.console.shop import Shop, open_shop
from worker.config.load_worker import load_worker
from worker.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, ViewportSize

    Visit = Callable[..., Page]

PATIENCE_MS = 30_000
"""For machines that are busy; what is there is not waited for."""
expect.set_options(timeout=PATIENCE_MS)
DESK = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
def shop() -> Shop:
    return open_shop()


@pytest.fixture
def url(shop: Shop) -> Iterator[str]:
    environ = {"CONNECT_LISTENERS": "http://127.0.0.1:0"}
    with serve(shop.herder, load_worker(environ=environ).require(), watcher=shop) as server:
        yield f"{server.urls[0]}/console/"


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Visit]:
    """Opens a view; at the end nothing may have been refused by the policy, or have failed."""
    complaints: list[str] = []
    pages: list[Page] = []

    def opened(view: str = "#/", **how: object) -> Page:
        page = browser.new_page(viewport=DESK, **how)  # type: ignore[arg-type]  # as it takes them
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        pages.append(page)
        page.goto(f"{url}{view}")
        expect(page.locator("main h1")).to_be_visible()
        return page

    yield opened
    for page in pages:
        page.close()
    meant = re.compile("status of 4|ERR_FAILED")  # refusals and outages are part of some tests
    assert [one for one in complaints if not meant.search(one)] == []
