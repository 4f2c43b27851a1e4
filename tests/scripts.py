"""Runs scripts that Wobble shows as a person would, without Wobble, but without importing the libraries again each time.

A server process that has imported them, and nothing of Wobble, forks for each script; the script gets a fresh `__main__`.
"""

import atexit
import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SERVER = """
import json, os, runpy, sys, traceback

import datasets, numpy, pandas, peft, scipy.optimize, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertForSequenceClassification, Trainer

print("ready", flush=True)
for line in sys.stdin:
    file, folder, log = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    code = 1
    try:
        output = os.open(log, os.O_WRONLY)
        os.dup2(output, 1)
        os.dup2(os.open(log + ".err", os.O_WRONLY | os.O_CREAT), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        sys.argv, sys.path[0] = [file], folder
        runpy.run_path(file, run_name="__main__")
        foreign = {name.split(".")[0] for name in sys.modules} & {"core", "pages", "tests"}
        code = 3 if foreign else 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""


@functools.cache
def _server() -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=tempfile.gettempdir(), env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None and server.stdout.readline() == "ready\n"
    atexit.register(lambda: (server.kill(), server.wait()))
    return server


def output_of(script: str, folder: Path = ROOT) -> str:
    """What a script prints that runs in a folder; the script must succeed, and import nothing of Wobble."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    with tempfile.TemporaryDirectory() as place:
        file, log = Path(place) / "script.py", Path(place) / "log"
        file.write_text(script, encoding="utf-8")
        log.touch()
        server.stdin.write(json.dumps([str(file), str(folder), str(log)]) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        error = ""
        with contextlib.suppress(OSError):
            error = Path(f"{log}.err").read_text(encoding="utf-8", errors="replace")
        assert code != 3, "the script imports Wobble"
        assert code == 0, error
        return log.read_text(encoding="utf-8")


def rows_of(script: str, folder: Path = ROOT) -> list[dict[str, Any]]:
    """The JSON objects that a script prints, one a line."""
    return [json.loads(line) for line in output_of(script, folder).splitlines()]
