"""What a person waits for, measured in Chromium: `python -m benchmarks.browser`. Needs playwright and chromium.

A new sentence: from Ctrl+Enter until the strip and the table show its variants. A filter: from the click until the table
has changed. The temperature: from the key that moves it in the sidebar until the page says the new T. The overview: from
Ctrl+Enter until the complete verdict stands there; and from the start of the server to the first words and to the first verdict.
Also counts the forward passes that filters and the temperature cause, which must be none.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from core.data.snippets import snippets

ROOT = Path(__file__).parent.parent
NEW_SENTENCES = 15
MOVES = 40
FILTERS = ("whitespace", "casing", "punctuation", "unicode", "typo")
# The table lives in a shadow root of its own.
ROWS = (
    "[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]"
    ".flatMap(e => [...(e.shadowRoot?.querySelectorAll('.w-variants .row') ?? [])])"
)
# When a person last pressed a key or clicked.
ACTED = """for (const kind of ['keydown', 'click'])
    document.addEventListener(kind, () => { window.acted = performance.now() }, true)"""
# Logs every forward pass of a model, in a process that otherwise runs the app as it is.
COUNTING = """
import sys, torch, transformers
count = open(sys.argv.pop(1), "a", buffering=1)
call = transformers.PreTrainedModel.__call__
transformers.PreTrainedModel.__call__ = lambda self, *a, **k: (count.write("x"), call(self, *a, **k))[1]
from streamlit.web.cli import main
sys.exit(main())
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def served(*program: str) -> Iterator[str]:
    """The address of the app, served by a Python program that takes Streamlit's arguments."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, *program, "run", "app.py", f"--server.port={port}", "--server.headless=true"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait()


def _seconds_until(page: Page, act: Any, condition: str, argument: Any) -> float:
    """Seconds by the clock of the page, from the key or the click that `act` sends until the condition holds."""
    act()
    elapsed = f"argument => ({condition})(argument) && performance.now() - window.acted"
    milliseconds = page.wait_for_function(elapsed, arg=argument, polling=10, timeout=60_000).json_value()
    return float(milliseconds) / 1000


def _verdicts(page: Page, address: str) -> list[float]:
    """Seconds from a new sentence to its complete verdict on the overview, warm."""
    texts = [text for text in snippets("test", "movie")["text"] if 80 <= len(text) <= 120][: NEW_SENTENCES + 2]
    page.goto(address)
    complete = """text => {
        const shown = document.querySelector('.w-verdict')?.parentElement?.innerText || ''
        return shown.replaceAll('·', ' ').includes(text) && shown.includes('cases tried')
            && document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length
    }"""
    page.wait_for_function("() => document.querySelectorAll('.w-card').length", timeout=120_000)
    area = page.get_by_role("textbox", name="Sentence", exact=True)
    seconds = []
    for text in texts:
        area.fill(text)
        seconds.append(_seconds_until(page, lambda: area.press("Control+Enter"), complete, text[:40]))
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
        const shown = document.querySelector('.w-verdict')?.parentElement?.innerText || ''
        const plots = document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length
        return shown.replaceAll('·', ' ').includes(text) && plots && !document.querySelector('[data-stale=true]')
            && {ROWS}.some(row => row.innerText.replaceAll('·', ' ').includes(text.slice(-12)))
    }}"""
    fresh = []
    for text in texts:
        area.fill(text)
        fresh.append(_seconds_until(page, lambda: area.press("Control+Enter"), drawn, text[:40]))
    before = passes.stat().st_size
    filtered = []
    changed = f"count => {ROWS}.length !== count"
    for name in FILTERS * 2:
        page.wait_for_timeout(600)
        count = page.locator(".w-variants .row").count()
        button = page.get_by_role("button", name=name, exact=True)
        filtered.append(_seconds_until(page, button.click, changed, count))
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
        waited.append(_seconds_until(page, lambda: temperature.press("ArrowUp"), moved, said))
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
    """Seconds from the start of the server until a first visitor reads something of use, and until the verdict."""
    page.goto(address)
    page.wait_for_function("() => document.querySelector('.w-verdict')", polling=10, timeout=60_000)
    useful = time.perf_counter() - began
    page.wait_for_function("() => document.querySelectorAll('.w-card').length", polling=10, timeout=120_000)
    return {"first_useful_paint": useful, "first_verdict": time.perf_counter() - began}


def main() -> None:
    """Start the app, measure, print JSON."""
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        passes = Path(work) / "forward-passes"
        passes.write_text("")
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(60_000)
        page.add_init_script(ACTED)
        began = time.perf_counter()
        with served("-m", "streamlit") as address:
            found = {"seconds_from_start": _first_paint(page, address, began)}
        with served("-c", COUNTING, str(passes)) as address:
            found |= measure(page, address, passes)
        browser.close()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
