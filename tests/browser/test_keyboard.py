"""The main path with the keyboard alone: from a sentence of one's own to why it flips."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = "Coppola has made a film of intoxicating atmosphere and little else."
FOCUS = """() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    return element
}"""
# What has the focus says (its last line: an icon is a line of its own before it), and whether the focus is seen: by an outline,
# a ring, or a border in the colour of the theme. Nothing where the focus is on the page itself.
FOCUSED = f"""() => {{
    if (document.activeElement === document.body) return null
    let e = ({FOCUS})()
    const said = (e.ariaLabel || e.labels?.[0]?.innerText || e.innerText || e.value || '').trim().split('\\n').pop()
    let shown = false
    for (let depth = 0; e.matches && depth < 4 && !shown; depth++, e = e.parentElement ?? document) {{
        const style = getComputedStyle(e)
        shown = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none'
            || style.borderColor.includes('0, 114, 178')
    }}
    return {{ said, shown }}
}}"""
MOST = 120
"""Presses of Tab after which something counts as out of reach."""


def tab_to(page: Page, said: str) -> str:
    """Press Tab until what has the focus says something, which is returned; wherever it goes, the focus is seen."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if (found := page.evaluate(FOCUSED)) is None:
            continue
        assert found["shown"], f"the focus is not seen on {found['said']!r}"
        if re.search(said, found["said"]):
            return str(found["said"])
    raise AssertionError(f"{said!r} is out of the keyboard's reach")


def test_the_main_path_is_walked_with_the_keyboard_alone(page: Page, app: str) -> None:
    page.goto(app)
    settled(page)
    # A sentence of one's own, and its verdict.
    tab_to(page, "^Sentence$")
    page.keyboard.press("Control+A")
    page.keyboard.type(TEXT)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("stMain").locator(".w-text", has_text="Coppola·has").first).to_be_visible()
    expect(page.get_by_text("cases tried")).to_be_visible()
    settled(page)
    # The page that explains the worst factor: the first card's.
    explained = tab_to(page, "^Explain [a-z]+$").rsplit(" ", 1)[-1]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/[a-z]+[?]"))
    settled(page)
    expect(page.get_by_text("What made it.")).to_be_visible()
    assert explained in page.locator("p", has_text="What made it.").inner_text()
    # Another case, by its name: the dots of a chart have none.
    page.get_by_role("link", name="Perturb").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/perturb"))
    settled(page)
    tab_to(page, "Open a case")
    page.keyboard.type("exclamation")
    expect(page.get_by_role("option").first).to_contain_text("xclamation")
    page.keyboard.press("Enter")
    expect(page.locator("p", has_text="What made it.")).to_contain_text("xclamation")
    settled(page)
    # Its code, and its text as the sentence.
    tab_to(page, "Show the code: this case")
    page.keyboard.press("Enter")
    expect(page.locator("code", has_text="import json")).to_be_visible()
    settled(page)
    tab_to(page, "Make it my sentence")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(re.compile("!"))
    expect(page.get_by_text("What made it.")).to_have_count(0)
