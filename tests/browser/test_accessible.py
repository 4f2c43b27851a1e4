"""axe-core finds nothing to complain of on any page, in either theme."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import CALM
from tests.browser.test_navigation import go
from tests.browser.test_pages import PATHS, TEXT, opened, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPENED = {
    "/perturb": {"variant": "upper", "code": "true", "factor": "punctuation"},
    "/tokens": {"cut": "draw 1", "second": "This is a test"},
    "/preprocessing": {"chain": "clean_lower"},
}
"""What a link opens besides on a page: there is more of it to look at (but one factor's rows look like all others')."""


def complete(page: Page, theme: str) -> None:
    """Wait until everything is drawn in a theme: charts, and what buttons say, come after the run."""
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
    settled(page)
    expect(page.locator(".w-action:not(:empty)").first).to_be_visible()
    expect(page.locator(".w-action:empty")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def test_axe_finds_no_violation_on_any_page_in_either_theme(browser: Browser, app: str) -> None:
    # Tall enough for whole pages: axe does not judge the contrast of what is scrolled out of sight.
    context = browser.new_context(viewport={"width": 1280, "height": 4000}, **CALM)
    page, found = context.new_page(), {}
    for path in PATHS:
        page.emulate_media(color_scheme="light")
        if path in OPENED or path == PATHS[0]:
            opened(page, app, path, sentence=TEXT, **OPENED.get(path, {}))
        else:
            # A fifth of the time of a page that is loaded anew.
            go(page, path)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            complete(page, theme)
            # Nothing but colours is another one in the dark.
            chosen = {"runOnly": ["color-contrast"]} if theme == "dark" else {}
            options = {"resultTypes": ["violations"], **chosen}
            for violation in Axe().run(page, options=options).response["violations"]:
                found[path, theme, violation["id"]] = [node["html"][:200] for node in violation["nodes"]]
    context.close()
    assert not found
