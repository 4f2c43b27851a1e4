"""What the operator sets is read when it is needed, refused in words, and documented the same everywhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.base.cache import Kept
from core.base.errors import WobbleError
from core.base.settings import PREFIX, Settings, settings
from core.models import catalog
from core.models.classifier import best_device

ROOT = Path(__file__).parent.parent.parent.parent
FIELDS = Settings.model_fields
VARIABLES = {f"{PREFIX}{name.upper()}" for name in FIELDS}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test starts in an empty folder, with nothing set."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def test_what_is_not_set_has_its_default(tmp_path: Path) -> None:
    found = settings()
    assert (found.model_dirs, found.runs_dir) == ((tmp_path / "models",), tmp_path / "runs")
    assert (found.max_models, found.device) == (4, None)


def test_a_variable_that_changes_is_seen_at_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().max_models == 4
    monkeypatch.setenv("WOBBLE_MAX_MODELS", "2")
    assert settings().max_models == 2


def test_folders_are_separated_as_in_path_and_come_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", f":mine::{tmp_path}/../{tmp_path.name}/others:")
    assert settings().model_dirs == (tmp_path / "mine", tmp_path / "others")
    monkeypatch.setenv("WOBBLE_MODEL_DIRS", "")
    assert settings().model_dirs == ()
    assert catalog.model_roots() == (tmp_path / "runs",)


def test_an_empty_folder_of_runs_means_no_training_and_not_this_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WOBBLE_RUNS_DIR", "mine")
    assert settings().runs_dir == tmp_path / "mine"
    monkeypatch.setenv("WOBBLE_RUNS_DIR", "")
    assert settings().runs_dir is None
    assert catalog.model_roots() == (tmp_path / "models",)


def test_at_least_one_model_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for few in ("0", "-3"):
        monkeypatch.setenv("WOBBLE_MAX_MODELS", few)
        assert settings().max_models == 1


def test_the_operators_number_of_models_bounds_what_stays_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_loaded", Kept(limit=1))
    monkeypatch.setattr("core.models.loading.load_classifier", lambda source, device: object())
    monkeypatch.setenv("WOBBLE_MAX_MODELS", "1")
    first = catalog.load("minilm-uncased")
    catalog.load("bpe-cased")
    assert catalog.load("minilm-uncased") is not first
    monkeypatch.setenv("WOBBLE_MAX_MODELS", "2")
    catalog.load("bpe-cased")
    again = catalog.load("minilm-uncased")
    catalog.load("bpe-cased")
    assert catalog.load("minilm-uncased") is again


@pytest.mark.parametrize("count", ["many", "", "2.5"])
def test_a_number_that_is_none_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    monkeypatch.setenv("WOBBLE_MAX_MODELS", count)
    with pytest.raises(WobbleError) as caught:
        settings()
    said = str(caught.value)
    assert said.startswith(f"WOBBLE_MAX_MODELS is {count!r}: ") and "integer" in said
    assert said.endswith(".") and "\n" not in said


@pytest.mark.slow
def test_the_command_line_says_which_variable_is_wrong() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "predict", "A fine film."],
        env={"WOBBLE_MAX_MODELS": "many"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("wobble: WOBBLE_MAX_MODELS is 'many'") and done.stderr.count("\n") == 1


def test_the_device_is_the_operators_where_this_machine_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOBBLE_DEVICE", "cpu")
    assert best_device() == torch.device("cpu")
    for wrong in ("cuda:77", "toaster"):
        monkeypatch.setenv("WOBBLE_DEVICE", wrong)
        with pytest.raises(WobbleError, match=f"WOBBLE_DEVICE is '{wrong}'"):
            best_device()
    automatic = []
    for nothing in (True, False):
        monkeypatch.setenv("WOBBLE_DEVICE", "") if nothing else monkeypatch.delenv("WOBBLE_DEVICE")
        automatic.append(best_device())
    assert automatic[0] == automatic[1]


def _default(name: str) -> str:
    """The default of a field as a table shows it."""
    default = FIELDS[name].default
    said = ":".join(map(str, default)) if isinstance(default, tuple) else default
    return "" if said is None else f"`{said}`"


@pytest.mark.parametrize("document", ["README.md", "docs/ARCHITECTURE.md"])
def test_the_table_of_variables_says_what_the_class_says(document: str) -> None:
    rows = re.findall(
        r"^\| `(WOBBLE_\w+)` \|(.*)\|(.*)\|$", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {variable: (meaning.strip(), default.strip()) for variable, meaning, default in rows}
    assert told == {f"{PREFIX}{name.upper()}": (field.description, _default(name)) for name, field in FIELDS.items()}
    assert len(rows) == len(FIELDS)


def test_nothing_else_reads_or_names_a_variable_of_wobbles_own() -> None:
    for folder in ("core", "pages"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            assert set(re.findall(r"WOBBLE_[A-Z_]+", text)) <= {*VARIABLES, PREFIX}, file
            assert not re.search(r"(environ|getenv)\W+(get\W+)?[\"']WOBBLE_", text), file
