"""Replay: equal where nothing changed, the place and the amount where something did, one sentence for a bad file."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import WobbleError
from core.cli import main
from core.models.catalog import load
from core.studies.study import profile
from core.views.documents import profile_document
from core.views.replay import TOLERANCE, read_record, replay

TEXTS = ["A wonderful, moving film.", "Melodrama with a message."]


def recorded(text: str, model: str = "minilm-uncased", **options: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(profile_document(profile(load(model), text, **options))))
    return document


@pytest.mark.slow
@pytest.mark.parametrize("model", ["minilm-uncased", "bpe-cased", "unigram-cased"])
@pytest.mark.parametrize("text", [*TEXTS, "This is a test . ", "Profits fell \U0001f642"])
def test_a_record_replays_equal(text: str, model: str) -> None:
    found = replay(recorded(text, model, seed=5, passes=20))
    assert found.equal, found.differences[:3]
    assert found.largest_difference <= TOLERANCE
    assert found.numbers > 300
    assert found.said.startswith("Equal")


def test_a_record_at_another_temperature_replays_equal() -> None:
    record = recorded(TEXTS[1], passes=5, temperature=2.0)
    assert record["temperature"] == 2.0
    assert abs(record["reference"]["margin"]) < abs(recorded(TEXTS[1], passes=5)["reference"]["margin"])
    assert replay(record).equal


def test_a_changed_number_is_found_with_its_place_and_amount() -> None:
    record = recorded(TEXTS[1], passes=5)
    row = next(row for row in record["factors"] if row["factor"] == "dropout")
    row["cases"][3]["probabilities"]["positive"] += 0.25
    found = replay(record)
    (difference,) = found.differences
    assert not found.equal
    assert difference.where == "factors.dropout.cases.3.probabilities.positive"
    assert difference.by == pytest.approx(0.25, abs=TOLERANCE)


def test_rounding_is_equal_and_more_is_not() -> None:
    record = recorded(TEXTS[0], passes=2)
    record["reference"]["margin"] += 0.5 * TOLERANCE
    assert replay(record).equal
    record["reference"]["margin"] += 2 * TOLERANCE
    assert not replay(record).equal
    record["reference"]["margin"] = float("nan")
    assert not replay(record).equal


def test_other_weights_and_other_versions_are_told_apart() -> None:
    record = recorded(TEXTS[0], passes=2)
    record["versions"]["torch"] = "0.1"
    found = replay(record)
    assert found.equal
    assert found.notes and "torch was 0.1" in found.notes[0]
    record["model"]["weights"] = "0" * 64
    assert [difference.where for difference in replay(record).differences] == ["model.weights"]


def test_other_words_for_the_same_numbers_are_no_difference() -> None:
    record = recorded(TEXTS[0], passes=2)
    record["verdict"] = "Said otherwise."
    found = replay(record)
    assert found.equal
    assert found.notes == ("1 sentence is worded otherwise now.",)
    record["mood"] = "another"
    assert [difference.where for difference in replay(record).differences] == ["mood"]


def test_a_record_that_counts_the_model_among_its_seeds_replays_equal() -> None:
    """As records did at first: eight seeds, of which one is the model's own."""
    record = recorded(TEXTS[1], passes=2)
    row = next(row for row in record["factors"] if row["factor"] == "seed")
    reference = record["reference"]
    own = {"name": "seed 42", "seed": "42", "label": reference["label"], "shift": 0.0, "flip": False}
    own |= {name: reference[name] for name in ("probabilities", "margin")}
    row["cases"].insert(0, own)
    row |= {"tried": 8, "flip_rate": row["flips"] / 8, "flip_interval": [0.0, 1.0], "median_shift": 0.5}
    found = replay(record)
    assert found.equal, found.differences[:3]
    assert found.notes == ("The record counts the model itself, seed 42, as a case: it and the rates are left out.",)
    row["cases"][1]["margin"] += 0.1
    assert [difference.where for difference in replay(record).differences] == ["factors.seed.cases.0.margin"]


def test_the_command_says_equal_different_or_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "record.json"
    assert main(["profile", TEXTS[0], "--passes", "3", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    file.write_text(json.dumps(record), encoding="utf-8")
    assert main(["replay", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True
    record["reference"]["label"] = "mixed"
    file.write_text(json.dumps(record), encoding="utf-8")
    assert main(["replay", str(file)]) == 1
    assert "reference.label: recorded mixed, now positive" in capsys.readouterr().out
    file.write_text("{", encoding="utf-8")
    assert main(["replay", str(file)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "not a JSON" in error


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nonsense", "not a JSON"),
        ("[1]", "not the record"),
        ('{"record": "something else"}', "not the record"),
        ('{"record": "wobble profile"}', "'text' is missing"),
        ('{"record": "wobble profile", "text": "a", "seed": true}', "'options' is missing"),
        ("[" * 100_000, "not a JSON"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(WobbleError, match=said):
        read_record(file)
    with pytest.raises(WobbleError, match="cannot be read"):
        read_record(tmp_path / "nowhere.json")


def test_binary_files_and_unknown_models_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WobbleError, match="not a JSON"):
        read_record(file)
    record = recorded(TEXTS[0], passes=2)
    record["model"]["id"] = "./nowhere"
    with pytest.raises(WobbleError):
        replay(record)
