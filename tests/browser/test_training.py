"""A class trains two seeds: live, across a switch of pages and a reload, and then on the Seeds page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import opened, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_family_is_trained_live_and_opened_on_the_seeds_page(page: Page, app: str) -> None:
    opened(page, app, "/train")
    page.get_by_role("spinbutton", name="Examples").fill("100")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Name").fill("class")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 models").first).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text(re.compile(r"examples a second"))).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Tokens").click()
    settled(page)
    page.get_by_role("link", name="Train", exact=True).click()
    # Else the reload may overtake the switch.
    expect(page).to_have_url(re.compile("/train"))
    page.reload()
    expect(page.get_by_text("class: done, 2 of 2 models")).to_be_visible(timeout=120_000)
    page.get_by_role("link", name="Open on the Seeds page").first.click()
    expect(page.get_by_text("2 models of the family runs/class")).to_be_visible()
    expect(page.locator(".w-verdict").first).to_contain_text("seeds")


def test_a_training_is_cancelled_and_leaves_nothing_half(page: Page, app: str) -> None:
    opened(page, app, "/train")
    page.get_by_role("textbox", name="Name").fill("stopped")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("stopped: cancelled, 0 of 2 models")).to_be_visible()
    page.get_by_role("combobox", name="Models").click()
    expect(page.get_by_role("option", name="minilm-uncased-43")).to_be_visible()
    expect(page.get_by_role("option", name=re.compile("stopped"))).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_test_id("stMain").get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("stopped: cancelled")).to_have_count(0)
