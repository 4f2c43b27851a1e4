"""An older state of this repository, unpacked beside the present one."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parent.parent


def unpack(commit: str, folder: Path, *paths: str) -> None:
    """Put files of a commit into a folder.

    Args:
        paths: which files and folders; none: all.

    Raises:
        SystemExit: there is no such commit.
    """
    made = subprocess.run(["git", "archive", commit, "--", *paths], cwd=ROOT, capture_output=True, check=False)
    if made.returncode:
        raise SystemExit(f"{commit} cannot be read: {made.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
