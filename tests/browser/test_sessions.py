"""Ten people at once, the first visitors of a server, each get answers about their own sentences."""

import asyncio
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, TimeoutError, async_playwright
from playwright.async_api import Page as AsyncPage

import core
from core.data.snippets import snippets
from tests.browser.conftest import CALM, CHROMIUM, LONG, OPTIONS

EACH = 5 if LONG else 2
"""Sentences of each of the ten people."""

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAID = (
    "[...document.querySelectorAll('.w-line')].map((e) => e.innerText).filter((text) => text.startsWith('Predicted'))"
)
HEARD = f"(wanted) => {SAID}.some((line) => wanted.some((one) => line.includes(one)))"


@pytest.fixture(params=["idle", "beside a busy process"] if LONG else ["idle"])
def load(request: pytest.FixtureRequest) -> Iterator[None]:
    """A machine with nothing else to do (but the tests of another worker), and one with a busy process."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if request.param != "idle" else None
    yield
    if busy is not None:
        busy.kill()
        busy.wait()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [11, 12, 13] if LONG else [11])
def test_ten_sessions_are_each_answered_their_own_sentences(fresh_app: str, load: None, seed: int) -> None:
    texts = [row["text"] for row in snippets() if row["split"] == "test" and 30 < len(row["text"]) < 120]
    random.Random(seed).shuffle(texts)
    texts = texts[: 10 * EACH]
    model = core.load("minilm-uncased")
    margins = {text: core.compare(model, text, []).reference.margin for text in texts}
    times: list[float] = []
    # Ten first visits at once, on two cores of which one is busy, take a minute. What stays silent is caught all the same.
    patience = 200

    async def answered(page: AsyncPage, text: str) -> str | None:
        # Two roundings of one margin, in the last place shown.
        wanted = [f"margin {margins[text] + by:+.3f} by" for by in (-5e-4, 0, 5e-4)]
        begin = time.monotonic()
        try:
            # Looked for twice a second: ten who ask ten times a second keep a core busy.
            await page.wait_for_function(HEARD, arg=wanted, polling=500)
        except TimeoutError:
            return f"{text!r}: {await page.evaluate(SAID)}"
        times.append(time.monotonic() - begin)
        return None

    async def person(window: BrowserContext, own: list[str]) -> list[str]:
        page = await window.new_page()
        page.set_default_timeout(1000 * patience)
        await page.goto(f"{fresh_app}/perturb?{urlencode({'sentence': own[0]})}")
        wrong = [await answered(page, own[0])]
        # Nobody had visited this server: a link to one of its pages is followed all the same, and the menu is there.
        await page.get_by_role("link", name="Perturb", exact=True).wait_for()
        for text in own[1:]:
            area = page.get_by_role("textbox", name="Sentence", exact=True)
            try:
                await area.fill(text)
                await area.press("Control+Enter")
            except TimeoutError:
                wrong.append(f"nowhere to type {text!r}: {await page.locator('body').inner_text()}")
                break
            wrong.append(await answered(page, text))
        await page.close()
        return [one for one in wrong if one is not None]

    async def people() -> list[str]:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            # One cache for all: ten first visits would measure how fast two cores start ten browsers.
            window = await chromium.new_context(viewport={"width": 1000, "height": 700}, **CALM)
            found = await asyncio.gather(*(person(window, texts[i : i + EACH]) for i in range(0, 10 * EACH, EACH)))
            await chromium.close()
        return [one for wrong in found for one in wrong]

    # In a thread of its own: Playwright's other interface has a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        wrong = pool.submit(lambda: asyncio.run(people())).result()
    assert not wrong, wrong
    print(f"median {statistics.median(times):.1f} s")
