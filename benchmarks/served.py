"""The app, served to a headless Chromium, for benchmarks."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, Playwright

from benchmarks.checkout import ROOT

# When a person last pressed a key or clicked.
ACTED = """for (const kind of ['keydown', 'click'])
    document.addEventListener(kind, () => { window.acted = performance.now() }, true)"""


@dataclass(frozen=True)
class Served:
    """A running app: its address, and its process."""

    address: str
    process: psutil.Process

    def processor_seconds(self) -> float:
        """Processor time that the server has taken so far, in user and system mode."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def served(*program: str, root: Path = ROOT) -> Iterator[Served]:
    """The app of a checkout, served by a Python program that takes Streamlit's arguments."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, *program, "run", "app.py", f"--server.port={port}", "--server.headless=true"],
        cwd=root,
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
        yield Served(f"http://localhost:{port}", psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait()


def chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium, or the one that Playwright brings."""
    # Chromium refuses its sandbox to root, which CI often is.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)


def opened(browser: Browser, *scripts: str) -> Page:
    """An empty page of a projector's size, in which some scripts run before all else."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    for script in (ACTED, *scripts):
        page.add_init_script(script)
    return page


def seconds_until(page: Page, act: Any, condition: str, argument: Any) -> float:
    """Seconds by the clock of the page, from the key or the click that `act` sends until the condition holds."""
    act()
    elapsed = f"argument => ({condition})(argument) && performance.now() - window.acted"
    milliseconds = page.wait_for_function(elapsed, arg=argument, polling=10, timeout=120_000).json_value()
    return float(milliseconds) / 1000
