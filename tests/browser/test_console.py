"""The console as people use it: with the pointer, with the keyboard alone, on a phone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.unit.rest.conftest import CONFIG
from worker.runtime.port import State, TargetState
from worker.runtime.refusals import NotFoundError

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.unit.console.shop import Shop

VIEWS = ("#/", "#/connectors/orders", "#/letters/products", "#/letters/products/0:1", "#/new")


def contrast(page: Page, selector: str) -> float:
    """Of an element's text on what is behind it, as WCAG has it."""
    found: float = page.locator(selector).first.evaluate(
        """(element) => {
            const parts = (text) => text.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
                .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
                .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
            let behind = element;
            const ground = () => getComputedStyle(behind).backgroundColor;
            const isClear = () => (parts(ground())[3] ?? 1) === 0;
            while (behind.parentElement && isClear()) behind = behind.parentElement;
            const ink = getComputedStyle(element).color;
            const [one, other] = [parts(ink), parts(ground())].map(light);
            return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        }"""
    )
    return found


def test_the_first_page_says_what_is_broken_and_mends_it(visit: Visit, shop: Shop) -> None:
    page = visit()
    expect(page).to_have_title(re.compile(r"\(1 failed\) Connectors"))
    first = page.locator(".notices li").first
    expect(first).to_contain_text("1 of 3 tasks failed: Pinecone refuses the key (401)")
    expect(first).to_contain_text("for 13 min")
    expect(page.locator(".fleet tbody tr")).to_have_count(6)
    first.get_by_role("button", name="Restart failed tasks").click()
    expect(page.locator(".toast")).to_contain_text("failed tasks of orders restart")
    expect(page.locator(".fleet tr", has_text="orders").first).to_contain_text("Running")
    assert shop.herder.restarted == ["orders-1"]


def test_a_connector_is_held_and_goes_on(visit: Visit, shop: Shop) -> None:
    page = visit("#/connectors/products")
    expect(page.locator(".chart svg[role=img]")).to_have_count(4)
    expect(page.locator(".settings")).to_contain_text("[hidden]")
    actions = page.get_by_role("group", name="Actions for products")
    actions.get_by_role("button", name="Pause").click()
    expect(page.locator("h1")).to_contain_text("Paused")
    actions.get_by_role("button", name="Resume").click()
    expect(page.locator("h1")).to_contain_text("Running")
    actions.get_by_role("button", name="Stop").click()
    page.locator("dialog").get_by_role("button", name="Cancel").click()
    assert shop.herder.status("products").connector.state is State.RUNNING
    page.get_by_text("Numbers").first.click()
    expect(page.locator(".numbers table").first).to_be_visible()


def test_the_name_is_written_before_a_connector_is_deleted(visit: Visit, shop: Shop) -> None:
    page = visit("#/connectors/articles")
    page.get_by_role("button", name="Delete").click()
    sure = page.locator("dialog").get_by_role("button", name="Delete")
    expect(sure).to_be_disabled()
    page.get_by_label("Write articles to delete it").fill("articles")
    sure.click()
    expect(page.locator("h1")).to_have_text("Connectors")
    with pytest.raises(NotFoundError):
        shop.herder.connector("articles")


def test_letters_are_narrowed_down_tried_and_replayed(visit: Visit, shop: Shop) -> None:
    page = visit("#/letters")
    expect(page.locator(".letters tbody tr")).to_have_count(38)
    page.get_by_role("button", name="TextTooLong 9").click()
    expect(page.locator(".letters tbody tr")).to_have_count(9)
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator(".outlook")).to_contain_text("would be written")
    page.get_by_role("button", name="Replay 9 that fit…").click()
    with shop.owned():
        page.locator("dialog").get_by_role("button", name="Replay").click()
        expect(page.locator(".progress")).to_contain_text("Replay done: 9 letters")
    expect(page.locator(".progress")).to_contain_text("replayed")
    expect(page.get_by_text("Nothing fits these filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".letters tbody tr")).to_have_count(29)


def test_a_letter_tells_all_but_its_row(visit: Visit) -> None:
    page = visit("#/letters/products")
    page.get_by_role("button", name="UnavailableColumn 6").click()
    page.get_by_role("link", name="UnavailableColumn").first.click()
    expect(page.locator(".reason")).to_contain_text("description was not sent (TOAST)")
    page.get_by_text("Causes and stack trace").click()
    expect(page.locator(".chain pre")).to_contain_text("RecordError")
    page.get_by_role("button", name="What would happen?").click()
    expect(page.locator("main")).to_contain_text("If replayed now")
    expect(page.locator("main")).not_to_contain_text("SECRET ROW")
    page.get_by_role("button", name="Discard…").click()
    page.get_by_label("Why they are not needed").fill("known, and of no use")
    page.locator("dialog").get_by_role("button", name="Discard").click()
    expect(page.locator("h1")).to_contain_text("Discarded")


def test_a_connector_is_written_with_every_mistake_at_its_line(visit: Visit, shop: Shop) -> None:
    page = visit("#/new")
    area = page.get_by_label("Configuration, JSON")
    wrong = {"name": "docs", **CONFIG, "tasks.max": "many", "document.feilds": "name"}
    area.fill(json.dumps(wrong, indent=2))
    expect(page.locator("#verdict")).to_have_text("2 problems")
    expect(page.locator(".problems")).to_contain_text("document.feilds")
    expect(page.locator(".gutter .wrong")).to_have_text(["4", "11"])
    page.get_by_role("button", name="Line 4").click()
    assert page.evaluate("String(getSelection())") == '  "tasks.max": "many",'
    create = page.get_by_role("button", name="Create connector")
    expect(create).to_be_disabled()
    area.fill('{"name": "docs",')
    expect(page.locator(".problems")).to_contain_text("Not valid JSON")
    area.fill(json.dumps({"name": "docs", **CONFIG}, indent=2))
    expect(page.locator("#verdict")).to_have_text("Valid: nothing is wrong with it")
    page.get_by_label("Keys").fill("linger")
    page.locator(".reference li", has_text="batch.linger.ms").get_by_role("button").click()
    expect(area).to_have_value(re.compile("batch.linger.ms"))
    expect(create).to_be_enabled()
    create.click()
    expect(page.locator("h1")).to_contain_text("docs")
    assert shop.herder.connector("docs").config["batch.linger.ms"] != ""


def test_what_is_typed_and_where_the_focus_is_outlives_a_refresh(visit: Visit, shop: Shop) -> None:
    page = visit()
    link = page.locator(".fleet a", has_text="reviews").first
    link.focus()
    shop.herder.pause("articles")
    expect(page.locator(".fleet tr", has_text="articles").first).to_contain_text("Paused")
    assert link.evaluate("(one) => one === document.activeElement")
    expect(page.locator("#said")).to_have_text("articles: Paused")


def test_everything_can_be_done_with_the_keyboard(visit: Visit, shop: Shop) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator(".fleet a", has_text="products").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("products")
    expect(page.locator("h1")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Stop":
            break
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(ring) == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == "Stop"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Stopped")
    assert shop.herder.status("products").connector.state is State.STOPPED


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_view_can_be_read_and_fits_a_phone(visit: Visit, url: str, scheme: str) -> None:
    page = visit(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(PHONE)
    for view in VIEWS:
        page.goto("about:blank")
        page.goto(f"{url}{view}")
        expect(page.locator("main h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        names = page.locator("button:visible, a:visible, input:visible, select:visible")
        assert names.evaluate_all(NAMELESS) == [], view
    for selector in (".quiet", ".badge", "h1", ".button", ".button.primary"):
        if page.locator(selector).count():
            assert contrast(page, selector) >= 4.5, (scheme, selector)


NAMELESS = """(found) => found
    .filter((one) => !one.textContent.trim() && !one.ariaLabel && !one.labels?.length)
    .map((one) => one.outerHTML)"""
"""What a screen reader could not say."""


def test_a_pod_that_does_not_answer_is_said_and_what_was_known_stays(visit: Visit) -> None:
    page = visit()
    page.route("**/api/overview", lambda route: route.abort())
    expect(page.locator("#outage")).to_contain_text("This pod does not answer")
    expect(page.locator(".fleet tbody tr")).to_have_count(6)
    page.unroute("**/api/overview")
    expect(page.locator("#outage")).to_be_empty()


def test_one_of_many_connectors_is_found(visit: Visit, shop: Shop) -> None:
    for number in range(30):
        shop.herder.create(f"table-{number}", CONFIG, TargetState.RUNNING)
    page = visit()
    expect(page.locator(".fleet tbody tr")).to_have_count(36)
    page.get_by_label("Find a connector").fill("pgvector")
    expect(page.locator(".fleet tbody tr")).to_have_count(2)
    page.get_by_label("Find a connector").fill("table-17")
    expect(page.locator(".fleet tbody tr")).to_have_count(1)


def test_nothing_is_there_yet(visit: Visit, shop: Shop) -> None:
    for name in shop.herder.connectors():
        shop.herder.delete(name)
    page = visit()
    page.get_by_role("link", name="Add the first connector").click()
    expect(page.locator("h1")).to_have_text("Add a connector")
