"""Where things are read and written."""

from pathlib import Path

ASSETS = Path(__file__).parent.parent
MODELS = ASSETS / "models"
DATA = ASSETS / "data"
WORK = ASSETS.parent / "runs" / "assets"
"""Downloads, checkpoints and the log: not tracked."""
