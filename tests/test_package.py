"""`pip install .`: one folder, one command, and the app and the engine work from anywhere."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FOLDERS = (".streamlit", "assets", "core", "pages")
FILES = ("__main__.py", "app.py", "router.py", "LICENSE", "README.md", "pyproject.toml", "requirements.txt")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands in for site-packages. Built from links to the checkout, which neither copies nor litters it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "secrets.toml")
        shutil.copytree(ROOT / folder, source / folder, copy_function=os.symlink, ignore=ignored)
    for file in FILES:
        (source / file).symlink_to(ROOT / file)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    options = ["--no-build-isolation", "--no-compile", "--target", str(target), str(source)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return target


def command(installed: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(installed / "bin" / "wobble"), *arguments]


def environment(installed: Path) -> dict[str, str]:
    """Where only what is installed can be found."""
    return {
        **os.environ,
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }


def test_everything_lies_below_one_folder_and_nothing_generic_beside_it(installed: Path) -> None:
    names = {entry.name for entry in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"bin", "wobble"}
    assert [entry.name for entry in (installed / "bin").iterdir()] == ["wobble"]


def files(root: Path) -> set[Path]:
    return {path.relative_to(root) for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_all_of_the_app_is_there_and_nothing_that_only_makes_or_tests_it(installed: Path) -> None:
    wobble = installed / "wobble"
    assert {entry.name for entry in wobble.iterdir()} == {"__main__.py", "app.py", "router.py", *FOLDERS}
    assert files(wobble / "core") == files(ROOT / "core")
    assert files(wobble / "pages") == files(ROOT / "pages")
    assert files(wobble / "assets") == {path for path in files(ROOT / "assets") if path.parts[0] != "build"}


def test_the_command_runs_the_engine_of_the_installed_copy(installed: Path, tmp_path: Path) -> None:
    def answer(*arguments: str) -> list[dict[str, object]]:
        run = [*command(installed, *arguments), "--json"]
        found: list[dict[str, object]] = json.loads(
            subprocess.check_output(run, cwd=tmp_path, env=environment(installed), text=True)
        )
        return found

    assert answer("models")[0]["id"] == "minilm-uncased"
    assert answer("predict", "A fine film.")[0]["label"] == "positive"


def test_a_shell_completes_the_command_s_words(installed: Path, tmp_path: Path) -> None:
    def offered(run: list[str], words: str, **where: Any) -> list[str]:
        asked = {"_WOBBLE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        env = environment(installed) | asked
        return subprocess.check_output(run, cwd=tmp_path, text=True, env=env | where).splitlines()

    words = offered(command(installed), "wobble ")
    assert {"app", "predict", "dropout"} <= set(words)
    engine = offered([sys.executable, "-m", "core"], "wobble ", PYTHONPATH=str(ROOT))
    assert set(words) - set(engine) == {"app"}
    assert offered(command(installed), "wobble pr") == ["predict", "profile"]
    assert "--passes" in offered(command(installed), "wobble dropout --pa")


def test_the_command_alone_starts_the_app_with_its_own_configuration(installed: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true", "HOME": str(tmp_path)}
    log = tmp_path / "log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            command(installed),
            cwd=tmp_path,
            env=environment(installed) | settings,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        assert status(f"http://127.0.0.1:{port}/_stcore/health") == 200, log.read_text()
    finally:
        server.terminate()
        server.wait(10)
    said = log.read_text()
    assert "Traceback" not in said
    # Streamlit says so unless .streamlit/config.toml forbids it.
    assert "usage statistics" not in said


def status(address: str, seconds: float = 60) -> int | None:
    """The status of an address, as soon as anyone answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address) as answer:
                return int(answer.status)
        except OSError:
            time.sleep(0.25)
    return None
