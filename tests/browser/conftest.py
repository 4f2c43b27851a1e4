"""The running app and a headless Chromium in whose console nothing may complain."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

expect.set_options(timeout=60_000)

LONG = "LONG_TESTS" in os.environ
"""Whether what happens seldom is looked for as often as it takes to prove that it does not."""
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""Without a window for choice: that one needs a third less time."""
OPTIONS = ["--no-sandbox"] if os.geteuid() == 0 else []
"""Chromium refuses its sandbox to root, which CI often is."""
CALM: dict[str, Any] = {"reduced_motion": "reduce"}
"""No test looks at what moves, and to draw that costs a quarter of the time of a page."""
ROOT = Path(__file__).parent.parent.parent


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a running app; its log must hold no warning when it ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "log"
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "WOBBLE_RUNS_DIR": str(folder / "runs")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    with log.open("w") as stream:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    address = f"http://localhost:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health").close()
            break
        except OSError:
            time.sleep(0.25)
    yield address
    server.terminate()
    server.wait(10)
    said = log.read_text()
    assert "Traceback" not in said and "WARNING" not in said.upper(), said


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One app for all tests."""
    with serving(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture
def fresh_app(tmp_path: Path) -> Iterator[str]:
    """An app that nobody has visited yet."""
    with serving(tmp_path) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium (or the one that Playwright brought)."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """What all pages are opened in: a browser that has been here before loads Wobble from its cache."""
    context = browser.new_context(**CALM)
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Iterator[Page]:
    """A page of 1280 by 720; a message in the console, a failed or an external request fails the test."""
    page = window.new_page()
    page.set_viewport_size({"width": 1280, "height": 720})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(complaint) if (complaint := _complaint(message)) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda r: None if r.url.startswith(LOCAL) else complaints.append(f"external: {r.url}"))
    page.set_default_timeout(60_000)
    yield page
    # What a test left in the browser is not there for the next.
    page.evaluate("localStorage.clear()")
    page.close()
    window.clear_permissions()
    assert not complaints, complaints


def _complaint(message: ConsoleMessage) -> str | None:
    """An error or warning in the console; Streamlit looks for its server below a page's own path first, and finds 404."""
    if message.type not in ("error", "warning") or re.search(
        r"/(perturb|preprocessing|tokens|dropout|temperature|seeds|numerics|learn|train)/_stcore/",
        message.location["url"],
    ):
        return None
    return f"{message.type}: {message.text} {message.location['url']}"


LOCAL = ("http://localhost", "ws://localhost", "data:", "blob:")
