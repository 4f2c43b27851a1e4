"""A page shows what it was computed with, however late the browser is in what it sends, receives or loads."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.data.labelled import DataSource, read
from tests.browser.conftest import LONG
from tests.browser.test_pages import TEXT, opened, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUNS = 15 if LONG else 1
"""With each wait and delay: sixty in all where it is proven."""
# What the server sends reaches the page late, as over a network or on a busy machine.
LATE = """(() => { window.delay = 0; const Original = WebSocket;
  const late = (f, socket) => (event) =>
    window.delay ? setTimeout(() => f.call(socket, event), window.delay) : f.call(socket, event)
  window.WebSocket = class extends Original {
    addEventListener(type, f, options) { super.addEventListener(type, type === "message" ? late(f, this) : f, options) }
    set onmessage(f) { super.onmessage = f && late(f, this) }
    get onmessage() { return super.onmessage } } })()"""
CLICKS = """async ([wait, delay]) => {
  const use = [...document.querySelectorAll("button")].find((button) => button.innerText.includes("Try T = 2"))
  const link = [...document.querySelectorAll("a")].find((link) => link.innerText.trim().endsWith("Perturb"))
  window.delay = delay
  use.click()
  await new Promise((done) => setTimeout(done, wait))
  link.click() }"""
# What hears the buttons is loaded when `hear` is called: sometimes, on a busy machine, long after them.
DEAF = """(() => { const Original = window.Blob
  const late = (part) => String(part).includes("Carries what buttons")
    ? `await new Promise((done) => (window.hear = done));\\n${part}` : part
  window.Blob = class extends Original { constructor(parts, options) { super(parts?.map(late), options) } } })()"""


@pytest.mark.timeout(60 * RUNS + 120)
@pytest.mark.parametrize(("wait", "delay"), [(100, 300), (0, 0), (15, 0), (40, 0)])
def test_a_late_browser_shows_what_the_page_was_computed_with(
    window: BrowserContext, app: str, wait: int, delay: int
) -> None:
    for _ in range(RUNS):
        page = window.new_page()
        page.add_init_script(LATE)
        opened(page, app, "/temperature", sentence=TEXT)
        expect(page.get_by_role("button", name="Try T = 2")).to_be_visible()
        page.wait_for_timeout(400)
        page.evaluate(CLICKS, [wait, delay])
        expect(page.locator(".w-variants .row").first).to_be_visible()
        settled(page)
        page.wait_for_timeout(delay + 500)
        assert page.get_by_role("spinbutton", name="Temperature", exact=True).input_value() == "2"
        assert "T = 2" in page.locator(".w-line", has_text="Predicted").first.inner_text()
        expect(page).to_have_url(re.compile("temperature=2"))
        page.close()


def test_a_fitted_temperature_is_used_on_every_page(page: Page, app: str) -> None:
    opened(page, app, "/temperature", sentence=TEXT, calibration_data="Your file")
    # A few texts of one's own: the embedded ones are fitted on by tests/core/studies/test_calibration.py.
    some = read(DataSource("movie")).rows(np.arange(100))
    lines = [
        json.dumps({"text": text, "label": some.names[label]})
        for text, label in zip(some.texts, some.labels, strict=True)
    ]
    file = {"name": "own.jsonl", "mimeType": "application/jsonl", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(files=[file])
    page.get_by_text("Fit the temperature", exact=True).click()
    expect(page.get_by_text(re.compile("fits best"))).to_be_visible()
    page.get_by_role("button", name=re.compile("on every page")).click()
    page.get_by_role("link", name="Perturb").click()
    expect(page.locator(".w-line", has_text=re.compile("margin .* at T ="))).to_be_visible()


def test_a_button_is_not_shown_before_somebody_hears_it(page: Page, app: str) -> None:
    page.add_init_script(DEAF)
    opened(page, app, "/preprocessing", sentence=TEXT)
    button = page.get_by_test_id("stMain").locator(".w-action").first
    expect(button).to_have_text(re.compile("."))
    expect(button).to_be_hidden()
    page.wait_for_function("() => window.hear !== undefined")
    page.evaluate("window.hear()")
    button.click()
    expect(page).to_have_url(re.compile("chain="))
