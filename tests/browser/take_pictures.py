"""Takes the documentation's pictures of the console: ``python -m tests.browser.take_pictures``.

The page and the server are the real ones; the shop behind them is made up, as an hour of a night
with one failure and forty letters is more than a picture can wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.stack.browser import chromium
from tests.stack.home import REPOSITORY
from tests.unit.console.shop import open_shop
from worker.config.load_worker import load_worker
from worker.serving import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = REPOSITORY / "docs" / "images"
WIDTH = 1280
PICTURES = (
    ("console", "#/", "light", 1040),
    ("console-connector", "#/connectors/products", "dark", 1050),
    ("console-letters", "#/letters/products", "light", 820),
)
"""Name, view, scheme and height."""


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    shop, found = open_shop(), chromium()
    worker = load_worker(environ={"CONNECT_LISTENERS": "http://127.0.0.1:0"}).require()
    with serve(shop.herder, worker, watcher=shop) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program, env=found.environment, args=["--no-sandbox"]
        )
        for name, view, scheme, height in PICTURES:
            take(browser, f"{server.urls[0]}/console/{view}", name, scheme, height)
        browser.close()


def take(browser: Browser, url: str, name: str, scheme: str, height: int) -> None:
    """One picture, as a file of less than 200 kB."""
    viewport = {"width": WIDTH, "height": height}
    page = browser.new_page(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # as it takes them
    page.goto(url)
    page.locator("main h1").wait_for()
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(300)
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file)
    page.close()
    print(f"{file.relative_to(REPOSITORY)}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
