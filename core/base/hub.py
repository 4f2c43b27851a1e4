"""The Hugging Face hub: which ids are valid, whether it answers, and how long anyone waits for it."""

import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from huggingface_hub import constants

HUB_SECONDS = 4.5
"""A hub that does not answer may cost a person five seconds; this leaves room for the rest."""

HUB_ID = re.compile(r"[\w][\w.-]{0,95}(/[\w][\w.-]{0,95})?", re.ASCII)

T = TypeVar("T")

_asking = threading.Lock()
_answers: dict[str, tuple[float, bool]] = {}


def endpoint() -> str:
    """The hub's address: `HF_ENDPOINT`, by default the public one."""
    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a network call, giving up after some seconds: client time-outs do not bound a slow name look-up.

    Raises:
        TimeoutError: it took longer. The call's own errors pass through.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # handed to the caller's thread
            outcome.set_exception(error)

    # Not an executor: the end of the process would wait for its threads.
    threading.Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


def hub_answers() -> bool:
    """Whether the hub answers, asked at most once a minute."""
    # Read here too: a variable that was set after huggingface_hub was imported counts.
    if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES", "ON"}:
        return False
    address = endpoint()
    with _asking:
        asked, answer = _answers.get(address, (float("-inf"), False))
        if time.monotonic() - asked > 60:
            try:
                head = urllib.request.Request(address, method="HEAD")
                within(HUB_SECONDS, lambda: urllib.request.urlopen(head, timeout=HUB_SECONDS).close())
                answer = True
            except (OSError, ValueError) as error:
                answer = isinstance(error, urllib.error.HTTPError)  # a refusal is an answer
            _answers[address] = time.monotonic(), answer
        return answer
