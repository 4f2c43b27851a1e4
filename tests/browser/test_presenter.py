"""Presenter mode with the keyboard, and the link that is copied."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import opened, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_page_is_presented_by_keys_that_are_left_to_what_has_the_focus(page: Page, app: str) -> None:
    opened(page, app, "/tokens")
    page.get_by_role("button", name="Present", exact=True).click()
    expect(page.get_by_role("button", name="Leave", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "21px"
    expect(page.get_by_text("(1 of ")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("(2 of ")).to_be_visible()
    expect(page.get_by_test_id("stMain").locator(".w-text", has_text="This·is·a·test·.·").first).to_be_visible()
    field = page.get_by_role("textbox", name="Compare with a second sentence")
    field.focus()
    for key in ("ArrowRight", "ArrowLeft", "Escape"):
        field.press(key)
    expect(field).not_to_be_focused()
    settled(page)
    expect(page).to_have_url(re.compile(r"sentence=This\+is\+a\+test\+\.\+&presenter=true"))
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    expect(page).to_have_url(re.compile(r"sentence=This\+is\+a\+test\+\.\+$"))


def test_the_sidebar_needs_no_scrolling_and_copies_a_link_that_says_who_can_open_it(page: Page, app: str) -> None:
    # The page with the most controls of its own.
    opened(page, app, "/dropout")
    assert "sentence" not in page.url
    for role, name in (("spinbutton", "Passes"), ("spinbutton", "Temperature"), ("button", "Present")):
        box = page.get_by_role(role, name=name, exact=True).bounding_box()
        assert box and box["y"] > 0 and box["y"] + box["height"] < 720
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.get_by_role("button", name="Copy link", exact=True)
    copy.click()
    expect(page.get_by_text("Only this computer can open it")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(
        f"{app}/dropout?model=minilm-uncased&sentence=Even+in"
    )
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false")
    copy.click()
    expect(page.get_by_text("Copy it by hand")).to_be_visible()
    expect(page.get_by_role("textbox", name="The link")).to_have_value(re.compile("model=minilm-uncased&sentence=Even"))
