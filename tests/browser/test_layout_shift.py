"""Nothing jumps while it grows: what moves by itself on a page, as browsers count it (https://web.dev/articles/cls)."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.before_after import SHIFTS
from tests.browser.test_pages import PATHS, settled, typed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 0.1
"""What web.dev calls good."""
SENTENCE = "A film that is better than it looks, and longer too."


def shifted(page: Page) -> float:
    """All that has moved so far, once the page rests."""
    settled(page)
    # Charts are drawn after the run.
    page.wait_for_timeout(500)
    found: float = page.evaluate("window.shifted")
    return found


@pytest.mark.parametrize("path", PATHS)
def test_nothing_jumps_while_a_page_opens_or_another_sentence_is_computed(
    window: BrowserContext, app: str, path: str
) -> None:
    page = window.new_page()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.add_init_script(SHIFTS)
    page.goto(f"{app}{path}")
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_be_visible()
    opening = shifted(page)
    assert opening < MOST
    typed(page, SENTENCE)
    # Until the run has begun the page rests.
    page.wait_for_timeout(300)
    assert shifted(page) - opening < MOST
    page.close()
