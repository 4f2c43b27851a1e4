"""An older state of the app and the present one side by side in Chromium: `python -m benchmarks.browser --old COMMIT`.

Both run at once and are asked in turn, so that a machine whose speed drifts is as kind to one as to the other.
"""

import statistics
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.checkout import ROOT, unpack
from benchmarks.served import Served, chromium, opened, seconds_until, served
from core.data.snippets import snippets

WARM_UP = 3
"""Sentences that are not counted: after them, everything that is loaded or compiled once is there."""
PAGES = ("", "perturb", "preprocessing", "dropout", "temperature", "seeds", "numerics", "learn", "train", "tokens")
"""Pages by their address; the Overview's is empty."""
TIMED = ("", "perturb")
# What moves without a click or a key in the half second before it, summed over the whole stay on the page.
SHIFTS = """window.shifted = 0
new PerformanceObserver(list => list.getEntries().forEach(one => { window.shifted += one.hadRecentInput ? 0 : one.value }))
    .observe({ type: 'layout-shift', buffered: true })"""
# The finding is about the sentence, the strip has its dots, and no part of the page waits to be replaced.
COMPLETE = {
    "": """text => {
        const shown = document.querySelector('.w-verdict')?.closest('[data-testid=stElementContainer]')?.innerText || ''
        return shown.replaceAll('·', ' ').includes(text) && /(cases|conditions) tried/.test(shown)
            && document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length > 0
    }""",
    "perturb": """text => {
        const shown = document.querySelector('.w-verdict')?.closest('[data-testid=stElementContainer]')?.innerText || ''
        return shown.replaceAll('·', ' ').includes(text) && !document.querySelector('[data-stale=true]')
            && document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length > 0
    }""",
}
SETTLED = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


@dataclass(frozen=True)
class Side:
    """One of the two states, and a browser that shows it."""

    root: Path
    app: Served
    browser: Browser

    def has(self, page: str) -> bool:
        """Whether there is such a page."""
        return (self.root / "pages" / f"{page or 'overview'}.py").is_file()


def _settle(page: Page) -> None:
    """Wait until the server has nothing more to do for a page."""
    page.wait_for_timeout(300)
    page.wait_for_function(SETTLED, timeout=600_000)
    page.wait_for_timeout(700)


def _new_sentence(side: Side, page: Page, kind: str, text: str) -> tuple[float, float]:
    """Seconds from Ctrl+Enter to the complete verdict, and processor seconds of the server until it is idle."""
    area = page.get_by_role("textbox", name="Sentence", exact=True)
    area.fill(text)
    _settle(page)
    before = side.app.processor_seconds()
    seconds = seconds_until(page, lambda: area.press("Control+Enter"), COMPLETE[kind], text[:40])
    _settle(page)
    return seconds, side.app.processor_seconds() - before


def _timed(sides: dict[str, Side], kind: str, texts: Sequence[str]) -> dict[str, Any]:
    """Both measures of a page in each state, over some sentences, and their ratios."""
    pages = {}
    for name, side in sides.items():
        pages[name] = opened(side.browser)
        pages[name].goto(f"{side.app.address}/{kind}")
        pages[name].wait_for_selector(".w-verdict")
        _settle(pages[name])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for text in texts:
        for name, side in sides.items():
            found[name].append(_new_sentence(side, pages[name], kind, text))
    for page in pages.values():
        page.close()
    measures: dict[str, Any] = {}
    for number, what in enumerate(("seconds_to_the_complete_verdict", "processor_seconds_of_the_server")):
        each = {name: [pair[number] for pair in pairs[WARM_UP:]] for name, pairs in found.items()}
        medians = {name: statistics.median(values) for name, values in each.items()}
        measures[what] = medians | {
            "ratio": medians["new"] / medians["old"],
            "each": {name: [round(value, 3) for value in values] for name, values in each.items()},
        }
    return measures


def _layout_shift(side: Side, kind: str, texts: Sequence[str]) -> dict[str, float]:
    """What moves on a page by itself while it opens with a sentence, and after another is entered."""
    page = opened(side.browser, SHIFTS)
    link, entered = texts
    page.goto(
        f"{side.app.address}/{kind}?" + page.evaluate("text => new URLSearchParams({sentence: text}).toString()", link)
    )
    page.get_by_role("textbox", name="Sentence", exact=True).wait_for()
    _settle(page)
    opening = page.evaluate("window.shifted")
    area = page.get_by_role("textbox", name="Sentence", exact=True)
    area.fill(entered)
    area.press("Control+Enter")
    _settle(page)
    growing = page.evaluate("window.shifted") - opening
    page.close()
    return {"opening": round(opening, 4), "new_sentence": round(growing, 4)}


def _shifts(sides: dict[str, Side], texts: Iterable[str]) -> dict[str, Any]:
    """The layout shift of every page in each state."""
    given = iter(texts)
    found: dict[str, Any] = {}
    for kind in PAGES:
        pair = next(given), next(given)
        found[kind or "overview"] = {
            name: _layout_shift(side, kind, pair) for name, side in sides.items() if side.has(kind)
        }
    return found


def before_and_after(old: str, sentences: int) -> dict[str, Any]:
    """Seconds, processor seconds and layout shift of a commit and of the present state.

    Args:
        old: the commit.
        sentences: new ones on each page that is timed.
    """
    texts = [text for text in snippets("test", "movie")["text"] if 60 <= len(text) <= 120]
    per_page = WARM_UP + sentences
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, ExitStack() as stack:
        unpack(old, Path(folder))
        browser = stack.enter_context(chromium(playwright))
        sides = {
            name: Side(root, stack.enter_context(served("-m", "streamlit", root=root)), browser)
            for name, root in (("old", Path(folder)), ("new", ROOT))
        }
        timed = {
            kind or "overview": _timed(sides, kind, texts[number * per_page : (number + 1) * per_page])
            for number, kind in enumerate(TIMED)
        }
        return {
            "benchmark": f"{old} and the present state, asked in turn, {sentences} new sentences a page",
            "pages": timed,
            "layout_shift": _shifts(sides, texts[len(TIMED) * per_page :]),
        }
