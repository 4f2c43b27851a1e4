"""The Hugging Face hub: which ids it may have, whether it answers, and how long anyone waits for it."""

import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TypeVar

from huggingface_hub import constants

HUB_SECONDS = 4.5
"""A hub that does not answer may cost a person five seconds; this leaves room for the rest."""

HUB_ID = re.compile(r"[\w][\w.-]{0,95}(/[\w][\w.-]{0,95})?", re.ASCII)

T = TypeVar("T")


def endpoint() -> str:
    """The hub's address: `HF_ENDPOINT`, by default the public one."""
    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a network call, giving up after some seconds: client time-outs do not bound a slow name look-up.

    Raises:
        TimeoutError: it took longer. The call's own errors pass through.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # handed to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TimeoutError
    return outcome[0]


class _Reachability:
    """Whether the hub answers, asked at most once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[float, bool]] = {}

    def __call__(self) -> bool:
        address = endpoint()
        if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES", "ON"}:
            return False
        with self._lock:
            asked, answer = self._answers.get(address, (float("-inf"), False))
            if time.monotonic() - asked > 60:
                answer = self._ask(address)
                self._answers[address] = (time.monotonic(), answer)
            return answer

    @staticmethod
    def _ask(address: str) -> bool:
        request = urllib.request.Request(address, method="HEAD")
        try:
            within(HUB_SECONDS, lambda: urllib.request.urlopen(request, timeout=HUB_SECONDS).close())
        except urllib.error.HTTPError:
            return True
        except (OSError, TimeoutError, ValueError):
            return False
        return True


hub_answers = _Reachability()
