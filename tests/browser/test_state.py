"""What is shown is what was computed: late browsers, many sessions, and every way of coming to a page."""

import asyncio
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser as AsyncBrowser
from playwright.async_api import Page as AsyncPage
from playwright.async_api import async_playwright
from playwright.sync_api import Browser, Page, expect

import core
from core.data.snippets import snippets
from tests.browser.test_pages import PATHS, TEXT, opened, settled, typed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUNS = int(os.environ.get("WOBBLE_LATE_RUNS", "3"))
"""Runs of a late browser with each wait and delay; 60 prove more, in about six minutes each."""
SEEDS = [int(seed) for seed in os.environ.get("WOBBLE_SESSION_SEEDS", "11").split(",")]
OWN = "A slow start , a GREAT end."
# What the server sends reaches the page late, as over a network or on a busy machine.
LATE = """(() => { window.delay = 0; const Original = WebSocket;
  const late = (f, socket) => (event) =>
    window.delay ? setTimeout(() => f.call(socket, event), window.delay) : f.call(socket, event)
  window.WebSocket = class extends Original {
    addEventListener(type, f, options) { super.addEventListener(type, type === "message" ? late(f, this) : f, options) }
    set onmessage(f) { super.onmessage = f && late(f, this) }
    get onmessage() { return super.onmessage } } })()"""
CLICKS = """async ([wait, delay]) => {
  const use = [...document.querySelectorAll("button")].find((button) => button.innerText.includes("on every page"))
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
SAID = "() => [...document.querySelectorAll('.w-line')].map((e) => e.innerText).filter((text) => text.startsWith('Predicted'))"


@pytest.fixture(params=[False, True], ids=["idle", "beside a busy process"])
def load(request: pytest.FixtureRequest) -> Iterator[None]:
    """A machine with nothing else to do, and one where a process keeps a processor busy."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if request.param else None
    yield
    if busy is not None:
        busy.kill()
        busy.wait()


@pytest.mark.timeout(60 * RUNS + 120)
@pytest.mark.parametrize(("wait", "delay"), [(100, 300), (0, 0), (15, 0), (40, 0)])
def test_a_late_browser_shows_what_the_page_was_computed_with(
    browser: Browser, app: str, wait: int, delay: int
) -> None:
    for _ in range(RUNS):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        page = context.new_page()
        page.add_init_script(LATE)
        page.goto(f"{app}/temperature?{urlencode({'sentence': TEXT, 'fit': 'true'})}")
        expect(page.get_by_text(re.compile("fits best"))).to_be_visible(timeout=120_000)
        settled(page)
        expect(page.get_by_role("button", name=re.compile("on every page"))).to_be_visible()
        page.wait_for_timeout(400)
        page.evaluate(CLICKS, [wait, delay])
        expect(page.locator(".w-variants .row").first).to_be_visible()
        settled(page)
        page.wait_for_timeout(delay + 500)
        assert page.get_by_role("spinbutton", name="Temperature", exact=True).input_value() == "0.608"
        assert "T = 0.608" in page.locator(".w-line", has_text="Predicted").first.inner_text()
        expect(page).to_have_url(re.compile("temperature=0.608"))
        context.close()


def test_a_button_is_not_shown_before_somebody_hears_it(page: Page, app: str) -> None:
    page.add_init_script(DEAF)
    opened(page, app, "/preprocessing", sentence=TEXT)
    button = page.locator(".w-action").first
    expect(button).to_have_text(re.compile("."))
    expect(button).to_be_hidden()
    page.wait_for_function("() => window.hear !== undefined")
    page.evaluate("window.hear()")
    button.click()
    expect(page).to_have_url(re.compile("chain="))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_ten_sessions_are_each_answered_their_own_sentences(app: str, load: None, seed: int) -> None:
    texts = [row["text"] for row in snippets() if row["split"] == "test" and 30 < len(row["text"]) < 120]
    random.Random(seed).shuffle(texts)
    texts = texts[:50]
    model = core.load("minilm-uncased")
    margins = {text: core.compare(model, text, []).reference.margin for text in texts}
    times: list[float] = []

    async def answered(page: AsyncPage, text: str) -> str | None:
        # Two roundings of one margin, in the last place shown.
        wanted = {f"margin {margins[text] + by:+.3f} by" for by in (-5e-4, 0, 5e-4)}
        begin = time.monotonic()
        while time.monotonic() - begin < 60:
            said = await page.evaluate(SAID)
            if any(one in line for line in said for one in wanted):
                times.append(time.monotonic() - begin)
                return None
            await asyncio.sleep(0.1)
        return f"{text!r}: {said}"

    async def person(chromium: AsyncBrowser, own: list[str]) -> list[str]:
        context = await chromium.new_context(viewport={"width": 1000, "height": 700})
        page = await context.new_page()
        page.set_default_timeout(120_000)
        await page.goto(f"{app}/perturb?{urlencode({'sentence': own[0]})}")
        wrong = [await answered(page, own[0])]
        for text in own[1:]:
            area = page.get_by_role("textbox", name="Sentence", exact=True)
            await area.fill(text)
            await area.press("Control+Enter")
            wrong.append(await answered(page, text))
        await context.close()
        return [one for one in wrong if one is not None]

    async def people() -> list[str]:
        async with async_playwright() as playwright:
            options = ["--no-sandbox"] if os.geteuid() == 0 else []
            chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
            found = await asyncio.gather(*(person(chromium, texts[i : i + 5]) for i in range(0, 50, 5)))
            await chromium.close()
        return [one for wrong in found for one in wrong]

    # In a thread of its own: Playwright's other interface has a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        wrong = pool.submit(lambda: asyncio.run(people())).result()
    assert not wrong, wrong
    print(f"median {statistics.median(times):.1f} s")


def shown(page: Page, sentence: str, temperature: str = "1") -> None:
    """A page rests, and shows what was asked for both in the controls and in what it computed."""
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(sentence)
    expect(page.get_by_role("spinbutton", name="Temperature", exact=True)).to_have_value(temperature)
    settled(page)
    expect(page.get_by_text("Choose a model on the left")).to_have_count(0)
    expect(page.get_by_text("Type a sentence on the left")).to_have_count(0)


def name(path: str) -> str:
    return path.strip("/").capitalize() or "Overview"


def go(page: Page, path: str) -> None:
    page.get_by_role("link", name=name(path), exact=True).click()
    expect(page).to_have_url(re.compile(f"{path}(\\?|$)"))


@pytest.mark.parametrize("path", PATHS)
def test_back_and_forward_show_what_was_there(page: Page, app: str, path: str) -> None:
    opened(page, app, path)
    sentence = page.get_by_role("textbox", name="Sentence", exact=True)
    # A text area fills itself after it has been put in.
    expect(sentence).not_to_have_value("")
    usual = sentence.input_value()
    other, third = [one for one in ("/tokens", "/numerics", "/perturb") if one != path][:2]
    go(page, other)
    shown(page, usual)
    typed(page, OWN)
    shown(page, OWN)
    expect(page).to_have_url(re.compile("sentence=A"))
    go(page, third)
    shown(page, OWN)
    page.go_back()
    expect(page).to_have_url(re.compile(f"{other}\\?sentence=A"))
    shown(page, OWN)
    page.go_back()
    expect(page).to_have_url(re.compile(f"{path}$"))
    shown(page, usual)
    page.go_forward()
    shown(page, OWN)
    page.go_forward()
    expect(page).to_have_url(re.compile(third))
    shown(page, OWN)


@pytest.mark.parametrize("path", PATHS)
def test_reload_a_second_tab_and_a_pasted_link_show_the_same(page: Page, app: str, path: str) -> None:
    opened(page, app, path, sentence=OWN, temperature="2", model="bpe-cased")
    go(page, "/tokens" if path != "/tokens" else "/numerics")
    go(page, path)
    shown(page, OWN, "2")
    expect(page).to_have_url(re.compile("bpe-cased.*temperature=2"))
    link = page.url
    href = page.get_by_role("link", name=name(path), exact=True).get_attribute("href") or ""
    page.reload()
    shown(page, OWN, "2")
    expect(page).to_have_url(link)
    tab = page.context.new_page()
    for address in (link, f"{app}/{href.lstrip('/')}"):
        tab.goto(address)
        shown(tab, OWN, "2")
        assert "bpe-cased" in tab.url
    tab.close()


def test_nothing_is_reset_when_a_page_is_left_and_mounted_again(page: Page, app: str) -> None:
    opened(page, app, "/dropout", passes="20", dropout_seed="3", rate="0.2", alone="false")
    for path in ("/perturb", "/dropout", "/tokens", "/dropout"):
        go(page, path)
    settled(page)
    for label, value in (("Passes", "20"), ("Seed", "3")):
        expect(page.get_by_role("spinbutton", name=label)).to_have_value(value)
    expect(page.get_by_role("textbox", name="Rate")).to_have_value("0.2")
    expect(page.locator(".w-line", has_text="at rate 0.2")).to_be_visible()
    expect(page.locator(".w-verdict").first).to_contain_text("20 passes")
    expect(page).to_have_url(re.compile("passes=20&dropout_seed=3&rate=0.2&alone=false"))


def test_quick_settings_all_count(page: Page, app: str) -> None:
    opened(page, app, "/perturb", sentence=TEXT)
    page.get_by_role("spinbutton", name="Temperature", exact=True).fill("2")
    page.keyboard.press("Enter")
    typed(page, OWN)
    page.get_by_role("button", name="casing", exact=True).click()
    shown(page, OWN, "2")
    expect(page.locator(".w-line", has_text="at T = 2")).to_be_visible()
    expect(page).to_have_url(re.compile("temperature=2&factor=casing"))


def test_a_click_does_not_wait_for_the_running_page(page: Page, app: str) -> None:
    page.goto(f"{app}/?{urlencode({'sentence': 'Nobody has ever profiled this one, which takes its time.'})}")
    expect(page.get_by_text("Still running")).to_be_visible()
    begin = time.monotonic()
    go(page, "/tokens")
    expect(page.locator(".w-verdict").first).to_contain_text("cut into tokens")
    assert time.monotonic() - begin < 5
