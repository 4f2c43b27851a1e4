"""How long a person waits, measured in Chromium: `python -m benchmarks.browser`. Needs playwright and chromium.

With `--old COMMIT`, an older state and the present one in turn instead: see `benchmarks.before_after`.

A new sentence: from Ctrl+Enter until the strip and the table show its variants. A filter: from the click until the table
has changed. The temperature: from the key that moves it in the sidebar until the page says the new T. The overview: from
Ctrl+Enter until the complete verdict stands there; and from the start of the server to the first words and to the first verdict.
Also counts the forward passes that filters and the temperature cause, which must be none.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.before_after import before_and_after
from benchmarks.served import chromium, opened, seconds_until, served
from core.data.snippets import snippets

NEW_SENTENCES = 15
MOVES = 40
FILTERS = ("whitespace", "casing", "punctuation", "unicode", "typo")
# The table lives in a shadow root of its own.
ROWS = (
    "[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]"
    ".flatMap(e => [...(e.shadowRoot?.querySelectorAll('.w-variants .row') ?? [])])"
)
# Logs every forward pass of a model, in a process that otherwise runs the app as it is.
COUNTING = """
import sys, torch, transformers
count = open(sys.argv.pop(1), "a", buffering=1)
call = transformers.PreTrainedModel.__call__
transformers.PreTrainedModel.__call__ = lambda self, *a, **k: (count.write("x"), call(self, *a, **k))[1]
from streamlit.web.cli import main
sys.exit(main())
"""


def _verdicts(page: Page, address: str) -> list[float]:
    """Seconds from a new sentence to its complete verdict on the overview, warm."""
    texts = [text for text in snippets("test", "movie")["text"] if 80 <= len(text) <= 120][: NEW_SENTENCES + 2]
    page.goto(address)
    complete = """text => {
        const shown = document.querySelector('.w-verdict')?.closest('[data-testid=stElementContainer]')?.innerText || ''
        return shown.replaceAll('·', ' ').includes(text) && shown.includes('cases tried')
            && document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length
    }"""
    page.wait_for_function("() => document.querySelectorAll('.w-card').length", timeout=120_000)
    area = page.get_by_role("textbox", name="Sentence", exact=True)
    seconds = []
    for text in texts:
        area.fill(text)
        seconds.append(seconds_until(page, lambda: area.press("Control+Enter"), complete, text[:40]))
        page.wait_for_timeout(500)
    return seconds[2:]


def measure(page: Page, address: str, passes: Path) -> dict[str, Any]:
    """Medians over new sentences and filters."""
    texts = [text for text in snippets("test", "movie")["text"] if 60 <= len(text) <= 120][: NEW_SENTENCES + 2]
    verdicts = _verdicts(page, address)
    page.goto(f"{address}/perturb")
    page.wait_for_selector(".w-variants .row")
    area = page.get_by_role("textbox", name="Sentence", exact=True)
    # The finding, the dots of the strip and the table are there and no part of the page still waits to be replaced.
    drawn = f"""text => {{
        const shown = document.querySelector('.w-verdict')?.closest('[data-testid=stElementContainer]')?.innerText || ''
        const plots = document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length
        return shown.replaceAll('·', ' ').includes(text) && plots && !document.querySelector('[data-stale=true]')
            && {ROWS}.some(row => row.innerText.replaceAll('·', ' ').includes(text.slice(-12)))
    }}"""
    fresh = []
    for text in texts:
        area.fill(text)
        fresh.append(seconds_until(page, lambda: area.press("Control+Enter"), drawn, text[:40]))
    before = passes.stat().st_size
    filtered = []
    changed = f"count => {ROWS}.length !== count"
    for name in FILTERS * 2:
        page.wait_for_timeout(600)
        count = page.locator(".w-variants .row").count()
        button = page.get_by_role("button", name=name, exact=True)
        filtered.append(seconds_until(page, button.click, changed, count))
    after_filters = passes.stat().st_size
    page.goto(f"{address}/temperature")
    page.wait_for_selector("text=Four ways")
    page.wait_for_timeout(2000)
    before_moves = passes.stat().st_size
    temperature = page.get_by_role("spinbutton", name="Temperature", exact=True)
    moved = """said => !document.querySelector('.w-verdict').textContent.includes(said)
        && !document.querySelector('[data-stale=true]')"""
    waited = []
    for _ in range(MOVES):
        said = page.locator(".w-verdict").first.inner_text()
        waited.append(seconds_until(page, lambda: temperature.press("ArrowUp"), moved, said))
        page.wait_for_timeout(400)
    return {
        "new_sentence_to_verdict_seconds": {
            "median": statistics.median(verdicts),
            "each": [round(s, 3) for s in verdicts],
        },
        "temperature_seconds": {"median": statistics.median(waited), "each": [round(s, 3) for s in waited]},
        "forward_passes_of_the_temperature": passes.stat().st_size - before_moves,
        "benchmark": "in the browser, embedded default model",
        "new_sentence_seconds": {"median": statistics.median(fresh[2:]), "each": [round(s, 3) for s in fresh[2:]]},
        "filter_seconds": {"median": statistics.median(filtered), "each": [round(s, 3) for s in filtered]},
        "forward_passes_of_filters": after_filters - before,
    }


def _first_paint(page: Page, address: str, began: float) -> dict[str, float]:
    """Seconds from the start of the server until a first visitor reads something useful, and until the verdict."""
    page.goto(address)
    page.wait_for_function("() => document.querySelector('.w-verdict')", polling=10, timeout=60_000)
    useful = time.perf_counter() - began
    page.wait_for_function("() => document.querySelectorAll('.w-card').length", polling=10, timeout=120_000)
    return {"first_useful_paint": useful, "first_verdict": time.perf_counter() - began}


def measured() -> dict[str, Any]:
    """How long the present state makes a person wait."""
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright, chromium(playwright) as browser:
        passes = Path(work) / "forward-passes"
        passes.write_text("")
        page = opened(browser)
        began = time.perf_counter()
        with served("-m", "streamlit") as app:
            found: dict[str, Any] = {"seconds_from_start": _first_paint(page, app.address, began)}
        with served("-c", COUNTING, str(passes)) as app:
            return found | measure(page, app.address, passes)


def main() -> None:
    """Start the app, measure, print JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.browser", description="What a person waits for, as JSON."
    )
    parser.add_argument("--old", metavar="COMMIT", help="measure this older state and the present one in turn")
    parser.add_argument(
        "--sentences", type=int, default=NEW_SENTENCES, metavar="N", help="new sentences per page, with --old"
    )
    chosen = parser.parse_args()
    found = before_and_after(chosen.old, chosen.sentences) if chosen.old else measured()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
