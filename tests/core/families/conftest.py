"""The embedded family, loaded once, and an operator's own folders of models and runs."""

from pathlib import Path

import pytest

from core.families.stacked import Family, load_family


@pytest.fixture(scope="package")
def family() -> Family:
    return load_family()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", str(tmp_path / "models"))
    monkeypatch.setenv("WOBBLE_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("WOBBLE_DEVICE", "cpu")
    return tmp_path / "models"
