"""The path of a first-time visitor: `python -m benchmarks.first_time`. Needs playwright and chromium.

From the start page to why a sentence of one's own flips: which edit did it, what the model read instead, and how its
probabilities moved. Counts what a person does (a click or a chord of keys; the typing of the sentence is not counted) and the
seconds from the first of them, with a server that is warm. Exits with 1 where it takes more than three.
"""

import json
import sys
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.served import chromium, opened, served

TEXT = "Coppola has made a film of intoxicating atmosphere and little else."
MOST_ACTIONS = 3


class Person:
    """Acts on a page, and counts it."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def do(self, what: str, act: Callable[[], None]) -> None:
        """Act once.

        Args:
            what: the action in words.
        """
        self.did.append(what)
        act()


def walk(page: Page, address: str) -> tuple[list[str], float]:
    """The actions of the path, and the seconds from the first of them until the explanation is in sight."""
    page.goto(address)
    # The model is loaded, and the sentence of the start page has its verdict.
    expect(page.locator(".w-card").first).to_be_visible()
    person, area = Person(), page.get_by_role("textbox", name="Sentence", exact=True)
    area.fill(TEXT)
    began = time.perf_counter()
    person.do("Ctrl+Enter", lambda: area.press("Control+Enter"))
    verdict = page.locator(".w-verdict").first
    expect(page.get_by_test_id("stMain").locator(".w-text", has_text="Coppola·has").first).to_be_visible()
    expect(verdict).to_have_text("On the edge.")
    # The cards are those of this sentence.
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    # The first card is the factor that flips it most; its link opens its worst case.
    link = page.get_by_role("link", name="Explain").first
    person.do(link.inner_text().splitlines()[-1], link.click)
    made = page.locator("p", has_text="What made it.")
    expect(made).to_be_in_viewport()
    expect(page.locator(".w-badge.flips", has_text="flips").first).to_be_in_viewport()
    expect(page.get_by_text("the prediction becomes")).to_be_in_viewport()
    return person.did, time.perf_counter() - began


def main() -> None:
    """Start the app, walk, print JSON."""
    expect.set_options(timeout=120_000)
    with sync_playwright() as playwright, served("-m", "streamlit") as app, chromium(playwright) as browser:
        did, seconds = walk(opened(browser), app.address)
    print(json.dumps({"actions": did, "count": len(did), "seconds": round(seconds, 2)}, indent=2))
    sys.exit(len(did) > MOST_ACTIONS)


if __name__ == "__main__":
    main()
