"""Lessons in the browser: with the keyboard alone, and two people in one room."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import CALM
from tests.browser.test_pages import opened, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LESSON = "temperature"


def test_a_lesson_is_guessed_and_revealed_by_the_keyboard_alone(page: Page, app: str) -> None:
    opened(page, app, "/learn", lesson=LESSON)
    guess = page.get_by_role("button", name="None of them")
    guess.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".w-choices .own")).to_have_text("None of them")
    settled(page)
    page.get_by_role("button", name="Show what happens").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".w-reveal")).to_contain_text("You guessed it")
    expect(page.get_by_text("Why.")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Open it on the page Temperature").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/temperature"))
    settled(page)


def test_two_people_in_a_room_see_each_others_votes_as_counts(page: Page, app: str, browser: Browser) -> None:
    opened(page, app, "/learn", lesson=LESSON)
    page.get_by_text("Guess as a class").click()
    page.get_by_role("button", name="Open a room").click()
    expect(page).to_have_url(re.compile("room=[a-z0-9]{10}"))
    settled(page)
    other = browser.new_context(**CALM).new_page()
    other.goto(page.url)
    settled(other)
    other.get_by_role("button", name="A low one").click()
    # The first one's page looks again by itself.
    expect(page.get_by_text("1 vote in this room so far")).to_be_visible()
    page.get_by_role("button", name="None of them").click()
    expect(page.get_by_text("2 votes in this room so far")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Show what happens").click()
    expect(page.locator(".w-votes .p")).to_have_text(["0", "1", "1"])
    other.context.close()
